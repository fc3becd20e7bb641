"""What became of a part's documents, written as parts of documents and of rejected records."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pile import documents
from pile.documents import Rows
from pile.ledger import Receipt
from pile.parts import PartSeries
from sources.source import Document, Rejected


def write_outcomes(folder: Path, task: str, outcomes: Iterable[Document | Rejected]) -> Receipt:
    """Publish documents and rejected records in their order, and return what was counted."""
    good, bad = Rows(documents.DOCUMENTS), Rows(documents.REJECTED)
    rejected: Counter[str] = Counter()
    with (
        PartSeries(folder, f"documents/{task}", documents.DOCUMENTS) as kept,
        PartSeries(folder, f"rejected/{task}", documents.REJECTED) as refused,
    ):
        for outcome in outcomes:
            if isinstance(outcome, Document):
                kept.extend(filter(None, [good.add(documents.document_row(outcome))]))
            else:
                rejected[outcome.reason] += 1
                refused.extend(filter(None, [bad.add(documents.rejected_row(outcome))]))
        kept.extend(filter(None, [good.take()]))
        refused.extend(filter(None, [bad.take()]))
    return Receipt(
        task,
        (*kept.parts, *refused.parts),
        kept.rows + rejected.total(),
        kept.rows,
        dict(sorted(rejected.items())),
        figures={
            "text_bytes": kept.text_bytes,
            "lengths": [int(count) for count in kept.lengths],
        },
    )
