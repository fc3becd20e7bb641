"""Parts are closed when they are full, be it of bytes or of rows."""

from pathlib import Path

import pyarrow as pa
import pytest

from pile import documents, parts
from pile.parts import PART_ROWS, PartSeries

SHORT = pa.schema([pa.field("id", pa.string()), pa.field("text", pa.large_string())])


def batch(texts: list[str]) -> pa.RecordBatch:
    """Return documents with these texts."""
    ids = [str(number) for number in range(len(texts))]
    return pa.RecordBatch.from_arrays(
        [pa.array(ids), pa.array(texts, SHORT.field("text").type)], schema=SHORT
    )


def test_a_part_has_a_bounded_number_of_rows(tmp_path: Path) -> None:
    """Texts of a few bytes would come by the ten million to a part, whose ids are held in memory."""
    some = batch(["ab"] * 20_000)
    wanted = 2 * PART_ROWS + 1
    with PartSeries(tmp_path, "a", SHORT) as series:
        while series.rows < wanted:
            series.extend(iter([some]))
    sizes = [part.counts["rows"] for part in series.parts]
    assert sum(sizes) == series.rows
    assert [documents.rows(tmp_path / part.name) for part in series.parts] == sizes
    assert len(sizes) == 2
    assert max(sizes) < PART_ROWS + some.num_rows


def test_a_part_has_a_bounded_amount_of_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long texts close it after a few."""
    monkeypatch.setattr(parts, "PART_BYTES", 1000)
    with PartSeries(tmp_path, "a", SHORT) as series:
        series.extend(batch(["x" * 400]) for _ in range(7))
    assert [part.counts["rows"] for part in series.parts] == [3, 3, 1]
