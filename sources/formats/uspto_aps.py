"""Patents in the format of the Automated Patent System, the "green book" of 1976-2001.

A record is lines of at most 80 columns. A section begins with its name alone on a line (``BSUM``, the
brief summary); a field with its tag (``PAC`` a heading, ``PAR`` and others a paragraph), two spaces
and text; further lines of a field are indented.

The Pile's reader split every line at white space and took its first word for a tag wherever it
stood, so a sentence that goes on with "NUM" or "CLAS" on a new line starts something. `published`
does as it did.
"""

from collections.abc import Iterator

from sources.formats.uspto_records import Part

SECTIONS = frozenset(
    {
        *("PATN", "INVT", "ASSG", "PRIR", "REIS", "RLAP", "CLAS", "UREF", "FREF", "OREF", "LREP"),
        *("ABST", "GOVT", "PARN", "BSUM", "DRWD", "DETD", "CLMS"),
    }
)
"""Sections that the Pile's reader knew. It did not know PCTA and DCLM, and read on."""

COUNTED = frozenset({"PA", "PAC", "PAI", "PAL", "PAR", "PARA", "NUM", "TBL"})
"""Tags of which each further one in a section is an entry of its own; others add to their first."""

PARAGRAPHS = COUNTED | {"PA0", "PA1", "PA2", "PA3", "PAPI.sup.1,", "PARENT"}
"""Tags of headings (PAC) and paragraphs."""

SUMMARY, HEADING, BACKGROUND = "BSUM", "PAC", "BACKGROUND"


def decode(content: bytes) -> str:
    """Return a record as text, without what is not UTF-8."""
    return content.decode("utf-8", "ignore")


def fields(record: str) -> dict[str, str]:
    """Return the fields of a record's first section, PATN, by their tags."""
    found: dict[str, str] = {}
    tag = ""
    for line in record.split("\n")[1:]:
        if line.split() and line[0].isspace() and tag:
            found[tag] += " " + line.strip()
        elif line.strip() in SECTIONS:
            break
        elif line.split() and not line[0].isspace():
            tag, _, value = line.strip().partition(" ")
            found[tag] = value.strip()
    return found


def published(record: str) -> str | None:
    """Return the background as the Pile's reader found it; None if no heading has BACKGROUND in it.

    It goes from behind the first such heading to the next one; but a heading that follows at once
    is taken for its first paragraph. Empty if nothing follows.
    """
    entries = list(_entries(record).items())
    headings = [place for place, (key, _) in enumerate(entries) if HEADING in key]
    starts = (place + 1 for place in headings if BACKGROUND in " ".join(entries[place][1]))
    start = next(starts, None)
    if start is None:
        return None
    end = next((place for place in headings if place > start), len(entries))
    return "\n".join(" ".join(words) for _, words in entries[start:end])


def _entries(record: str) -> dict[str, list[str]]:
    """Return the brief summary's entries in order, by their tags with a number from the second on.

    Values are to be joined by spaces. A line that belongs to no tag has a space between any two
    letters: the Pile's reader joined it once too often.
    """
    entries: dict[str, list[str]] = {}
    counts = dict.fromkeys(COUNTED, 1)
    key = ""
    for words in _summary(record):
        tag = words[0]
        if tag in PARAGRAPHS and tag not in entries:
            key = tag
            entries[key] = words[1:]
        elif tag in COUNTED:
            counts[tag] += 1
            key = f"{tag}_{counts[tag]}"
            entries[key] = [" ".join(words[1:])]
        elif key and tag not in {"CTY", "CNT"}:
            key = tag if tag in PARAGRAPHS else key
            entries[key].append(" ".join(words))
        else:
            entries[f"PA_{counts['PA']}"] = list(" ".join(words))
            counts["PA"] += 1
    return entries


def _summary(record: str) -> Iterator[list[str]]:
    """Yield the words of each line of the first brief summary."""
    lines = filter(None, map(str.split, record.split("\n")))
    for words in lines:
        if words == [SUMMARY]:
            break
    for words in lines:
        if len(words) == 1 and words[0] in SECTIONS and words[0] != "PATN":
            break
        yield words


def parts(record: str) -> list[Part]:
    """Return the headings and paragraphs of the brief summaries; tags count at a line's start only."""
    found: list[tuple[list[str], bool]] = []
    section = ""
    for line in record.split("\n"):
        tag, _, text = line.partition(" ")
        if line.rstrip() in SECTIONS:
            section = line.rstrip()
        elif section == SUMMARY and tag in PARAGRAPHS:
            found.append((text.split(), tag == HEADING))
        elif section == SUMMARY and line.strip():
            if not found:
                found.append(([], False))
            found[-1][0].extend(line.split())
    return [Part(" ".join(words), is_heading) for words, is_heading in found]
