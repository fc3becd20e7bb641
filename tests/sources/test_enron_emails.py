"""Enron Emails: from mailboxes to bodies."""

import gzip
import json
from pathlib import Path

import pytest

from sources import enron_emails
from sources.enron_emails import SOURCE
from sources.source import Document, RawFile, Rejected

EXAMPLE = Path(__file__).parents[2] / "examples/raw/enron_emails/enron_mail.tar.gz"


def outcomes(path: Path, name: str = "", fidelity: str = "published") -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", name or path.name), {"fidelity": fidelity}))


def test_every_member_has_an_outcome_in_archive_order() -> None:
    """Repetitions and empty bodies are documents; what is no message is rejected."""
    found = outcomes(EXAMPLE)
    assert [(o.origin.partition("maildir/")[2], getattr(o, "reason", "")) for o in found] == [
        ("field-j/inbox/1.", ""),
        ("field-j/inbox/latest", "unreadable_member"),
        ("field-j/notes.txt", "not_a_message"),
        ("field-j/sent_items/1.", ""),
        ("harker-w/_sent_mail/1.", ""),
        ("harker-w/_sent_mail/2.", ""),
        ("harker-w/_sent_mail/3.", ""),
    ]


def test_a_message_is_its_body() -> None:
    """Headers go, quotes stay; the path is the id."""
    assert outcomes(EXAMPLE)[3] == Document(
        id="enron_emails/field-j/sent_items/1.",
        text=(
            "Told him.  He says \tthe eggs will be cold, and that he has read your note about the"
            " pepper.\n\n-----Original Message-----\nFrom: Harker, Wilma\n\n> The barge leaves the"
            " north dock at six, not at seven."
        ),
        origin="enron_mail.tar.gz:maildir/field-j/sent_items/1.",
        licence=enron_emails.LICENCE,
        meta={
            "mailbox": "field-j",
            "message_id": "<11111112.1075863688222.JavaMail.evans@thyme>",
        },
    )


def test_corrected_keeps_characters_and_drops_empty_bodies() -> None:
    """A byte that is no UTF-8 is not lost."""
    published, corrected = outcomes(EXAMPLE), outcomes(EXAMPLE, fidelity="corrected")
    assert [getattr(o, "text", None) for o in published[5:]] == [
        "",
        "Meet me at the caf by the lock at noon.",
    ]
    assert isinstance(corrected[5], Rejected)
    assert corrected[5].reason == "empty_body"
    assert isinstance(corrected[6], Document)
    assert corrected[6].text == "Meet me at the caf\u00e9 by the lock at noon."


def test_a_message_may_come_by_itself(tmp_path: Path) -> None:
    """Compressed or not; without a folder no mailbox is known."""
    path = tmp_path / "7.gz"
    path.write_bytes(gzip.compress(b"Subject: eggs\n\nCold.\n"))
    (only,) = outcomes(path)
    assert isinstance(only, Document)
    assert (only.id, only.origin, only.text) == ("enron_emails/7", "7.gz", "Cold.")
    assert only.meta == {"mailbox": None, "message_id": None}


def test_a_monster_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read of it than the limit."""
    monkeypatch.setattr(enron_emails, "LONGEST", 20)
    path = tmp_path / "1."
    path.write_bytes(b"Subject: eggs\n\nCold, all of them.\n")
    (only,) = outcomes(path)
    assert isinstance(only, Rejected)
    assert only.reason == "too_large"


def test_one_archive_is_planned() -> None:
    """With the size and checksum that others found."""

    def get(url: str) -> bytes:
        raise AssertionError(url)

    (only,) = SOURCE.plan(SOURCE.defaults, get)
    assert (only.name, only.size) == ("enron_mail_20150507.tar.gz", 443_254_787)
    assert only.checksum == f"sha256:{enron_emails.SHA256}"


def test_an_unknown_fidelity_is_refused() -> None:
    """The message names the two there are."""
    with pytest.raises(ValueError, match="published, corrected"):
        outcomes(EXAMPLE, fidelity="faithful")


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 651 are equal."""
    equal = 0
    with (golden / "enron_emails.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            (only,) = outcomes(samples / entry["file"], entry["record"])
            assert isinstance(only, Document)
            assert only.text == entry["text"]
            assert only.id == f"enron_emails/{entry['record']}"
            equal += 1
    assert equal == 651
