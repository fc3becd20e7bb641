"""Enron Emails: the bodies of the messages that the energy regulator FERC released.

Raw format: ``enron_mail_20150507.tar.gz`` of Carnegie Mellon University (443 MB), 150 mailboxes with
517,401 messages, each a file ``maildir/MAILBOX/FOLDER/N.`` (with the dot); or such files by
themselves, also compressed. Headers, a blank line, the body: CR LF or LF, nearly all ASCII, 7bit or
quoted-printable, text alone, attachments were cut out. Every mail appears in several folders and at
several people's; only half of them are different.

Published extraction: the body of every file, in any order, nothing left out, not even repetitions,
quotes, forwarded headers, signatures; an empty body is an empty document. The Pile has as many
documents as the archive has messages. See `sources.formats.mail` for how a body was read, with bytes
that are no UTF-8 dropped.

``fidelity = "corrected"`` decodes such bytes by the message's charset or as Windows-1252, and rejects
an empty body.

Known differences: a file without headers, which the published reader made an empty document, is
rejected; so is a message of more than 8 MiB or with more than 100 multipart headers. None is known.

Privacy: these are people's letters. Some were taken out on request; the university asks to mind
those in it.

Place in a file: the archive's member; none in a message by itself. An id is
``enron_emails/MAILBOX/FOLDER/N.``, with ``/rN`` at its Nth occurrence in one file.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sources.formats import mail
from sources.formats.numbering import Uses, numbered
from sources.formats.packed import UNREADABLE, files
from sources.published import PILE_SET_NAMES
from sources.source import (
    Document,
    Get,
    Options,
    Pace,
    RawFile,
    Rejected,
    Source,
    excerpt,
)

URL = "https://www.cs.cmu.edu/~enron/enron_mail_20150507.tar.gz"
SIZE = 443_254_787
SHA256 = "b3da1b3fe0369ec3140bb4fbce94702c33b7da810ec15d718b3fadf5cd748ca7"
LICENCE = "public record released by FERC; its writers' privacy is to be minded"
LONGEST = 8 << 20
"""Bytes of one message; the longest honest ones have 2 MiB."""

FIDELITIES = {"published": mail.as_published, "corrected": mail.corrected}


def plan(options: Options, get: Get) -> Iterable[RawFile]:
    """Yield the one archive; the checksum is that of two independent downloads."""
    del options, get
    yield RawFile(URL, "enron_mail_20150507.tar.gz", SIZE, f"sha256:{SHA256}")


def read(path: Path, raw: RawFile, options: Options) -> Iterator[Document | Rejected]:
    """Yield a document or a rejection for every message of a file; see the module."""
    fidelity = str(options["fidelity"])
    if fidelity not in FIDELITIES:
        raise ValueError(f"fidelity is {fidelity!r}, not one of {', '.join(FIDELITIES)}")
    taken = Uses()
    for file, stream in files(path, raw):
        if file.problem:
            yield Rejected(file.origin, "unreadable_member", file.problem)
            continue
        outcome = _outcome(file.name, file.origin, stream.read(LONGEST + 1), fidelity)
        if isinstance(outcome, Rejected):
            yield outcome
        else:
            yield _document(file.name, file.origin, outcome, taken)


def _outcome(name: str, origin: str, content: bytes, fidelity: str) -> mail.Mail | Rejected:
    if len(content) > LONGEST:
        return Rejected(origin, "too_large", excerpt(name))
    try:
        message = FIDELITIES[fidelity](content)
    except mail.NotMailError as error:
        return Rejected(origin, "not_a_message", excerpt(f"{name}: {error}"))
    if fidelity == "corrected" and not message.body:
        return Rejected(origin, "empty_body", excerpt(name))
    return message


def _document(name: str, origin: str, message: mail.Mail, taken: Uses) -> Document:
    place = name.removeprefix("maildir/")
    mailbox, _, rest = place.partition("/")
    return Document(
        id=numbered(f"enron_emails/{place}", taken),
        text=message.body,
        origin=origin,
        licence=LICENCE,
        meta={"mailbox": mailbox if rest else None, "message_id": message.message_id},
    )


SOURCE = Source(
    name="enron_emails",
    pile_set_name=PILE_SET_NAMES["enron_emails"],
    licence=LICENCE,
    access="open",
    version=1,
    read=read,
    plan=plan,
    reasons={
        "unreadable_member": UNREADABLE,
        "too_large": f"more than {LONGEST >> 20} MiB",
        "not_a_message": "no headers, or parts nested beyond sense",
        "empty_body": "no text (`corrected` alone; the published document is empty)",
    },
    defaults={"fidelity": "published"},
    homepage="https://www.cs.cmu.edu/~enron/",
    raw_bytes=SIZE,
    # No limit is stated: a guess, for one file.
    paces={"www.cs.cmu.edu": Pace(1.0, 1)},
)
