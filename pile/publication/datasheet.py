"""A datasheet: the questions of "Datasheets for Datasets" (Gebru et al., 2021), answered by the run.

What the pipeline knows is said with its numbers; what only a person can answer is plainly left open.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from pile.publication.facts import Facts

UNKNOWN = "*Not known to the pipeline: whoever publishes this corpus should answer here.*"


def datasheet(facts: Facts) -> str:
    """Return the datasheet of a corpus as Markdown."""
    lines = [
        f"# Datasheet: {facts.title}",
        "",
        'It follows the questions of "Datasheets for Datasets" (Gebru et al., 2021), in short. Figures are',
        "those of the run that made the corpus; see `manifest.json` for its whole recipe.",
        "",
    ]
    for section, answers in _sections(facts):
        lines += [f"## {section}", ""]
        for question, answer in answers:
            lines += [f"**{question}**", "", answer, ""]
    return "\n".join(lines)


_Answers = list[tuple[str, str]]


def _sections(facts: Facts) -> Iterator[tuple[str, _Answers]]:
    yield "Motivation", _motivation()
    yield "Composition", _composition(facts)
    yield "Collection", _collection(facts)
    yield "Preprocessing, cleaning, labelling", _preprocessing(facts)
    yield "Uses", _uses()
    yield "Distribution", _distribution(facts)
    yield "Maintenance", _maintenance(facts)


def _motivation() -> _Answers:
    return [
        ("For what purpose was it made?", "To train language models on text. " + UNKNOWN),
        ("Who made it, and on whose behalf?", UNKNOWN),
        ("Who paid for it?", UNKNOWN),
    ]


def _composition(facts: Facts) -> _Answers:
    splits = "; ".join(
        f"{split.name}: {split.documents:,} documents, {split.text_bytes:,} bytes of text"
        for split in facts.splits
    )
    return [
        ("What does an instance stand for?", _kinds(facts)),
        ("How many are there?", f"{facts.documents:,}, copies counted.\n\n{_table(facts)}"),
        ("Is it a sample of something larger?", _sampled(facts)),
        (
            "What does an instance consist of?",
            (
                "A text, and the name of its source. Its id, origin and licence stand in the provenance "
                "tables, line by line."
            ),
        ),
        ("Are there labels?", "No, but for the name of the source."),
        ("Is anything missing?", _missing(facts)),
        (
            "Are relations between instances told?",
            "No. Copies of a document share its id; the provenance tables number them.",
        ),
        (
            "Are there recommended splits?",
            f"{splits}. {_held_out(facts)}",
        ),
        ("Are there errors, noise or redundancies?", _redundant(facts)),
        ("Does it stand on its own?", "Yes: all text is in the files here."),
        (
            "Is there confidential, offensive or personal content?",
            "It was not looked for. Sources of this kind hold names, addresses, opinions and abuse. "
            + UNKNOWN,
        ),
    ]


HELD_OUT = {
    "hash": "Documents were held out by a keyed hash of their ids.",
    "published": "Validation and test are of the first hundredth of the lines of each shuffled train file; "
    "the rest of it is held back.",
}
"""How documents were held out, by the rules of ``[mix] hold_out``."""

LEFT_OUT = {
    "held_out": "equal to one held out",
    "near_held_out": "like one held out",
    "held_back": "held back",
}
"""Why copies of documents are in no split, by the reasons of the mix."""


def _held_out(facts: Facts) -> str:
    mix = cast("dict[str, Any]", facts.settings["mix"])
    total: Counter[str] = Counter()
    for source in facts.sources:
        total.update(source.left_out)
    reasons = [f"{count:,} {LEFT_OUT[reason]}" for reason, count in sorted(total.items())]
    more = f" Copies left out of training: {', '.join(reasons)}." if reasons else ""
    return HELD_OUT[mix["hold_out"]] + more


def _kinds(facts: Facts) -> str:
    names = ", ".join(source.pile_set_name for source in facts.sources)
    return f"A document of one of {len(facts.sources)} sources: {names}."


def _table(facts: Facts) -> str:
    rows = [
        f"| {source.pile_set_name} | {source.documents:,} | {source.text_bytes:,} "
        f"| {_percent(source.text_bytes, facts.text_bytes)} | {source.epochs:g} |"
        for source in facts.sources
    ]
    head = [
        "| source | documents | text bytes | share | epochs |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    return "\n".join([*head, *rows])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""


def _sampled(facts: Facts) -> str:
    weighted = [f"{s.pile_set_name} {s.epochs:g}" for s in facts.sources if s.epochs != 1]
    repeated = f" Copies of each document by source: {', '.join(weighted)}." if weighted else ""
    return "All documents of the raw files that were given, but for those rejected." + repeated


def _missing(facts: Facts) -> str:
    rows = [
        f"| {source.pile_set_name} | {source.read:,} | {_reasons(source.rejected)} |"
        for source in facts.sources
    ]
    head = ["| source | records read | left out, by reason |", "| --- | ---: | --- |"]
    return "Records that were left out, duplicates apart:\n\n" + "\n".join([*head, *rows])


def _reasons(rejected: object) -> str:
    counts = dict(rejected) if isinstance(rejected, dict) else {}
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items()) or "none"


def _redundant(facts: Facts) -> str:
    method = facts.settings["dedup"]
    if method == "none":
        return "Duplicates were not looked for."
    return f"Duplicates were removed (method: {method}); what it does not find is still there."


def _collection(facts: Facts) -> _Answers:
    rows = [
        f"| {source.pile_set_name} | {source.homepage if source.is_of_the_pile else UNKNOWN} "
        f"| {source.access} |"
        for source in facts.sources
    ]
    head = ["| source | upstream | access |", "| --- | --- | --- |"]
    return [
        ("How was each instance acquired?", "\n".join([*head, *rows])),
        (
            "By which means?",
            (
                "Raw files were downloaded, or given by the user, and read by the programs that "
                "`manifest.json` names by version; it lists each file and its checksum."
            ),
        ),
        ("If it is a sample, how was it drawn?", f"By keyed hashes; the seed is {facts.seed}."),
        ("Who took part, and how were they paid?", UNKNOWN),
        ("Over which time was it collected?", UNKNOWN),
        ("Was there an ethical review?", UNKNOWN),
        ("Do people know of it, and did they consent?", UNKNOWN),
        ("Was the effect on them assessed?", UNKNOWN),
    ]


def _preprocessing(facts: Facts) -> _Answers:
    rules = facts.settings["clean"]
    named = ", ".join(map(str, rules)) if isinstance(rules, list) else ""
    return [
        (
            "What was done to the text?",
            "Text was taken out of each source's raw format as the recipe says. "
            + (f"Rules applied to all: {named}." if named else "No further rules were applied."),
        ),
        ("Is the raw text kept?", UNKNOWN),
        (
            "Is the software available?",
            (
                "Yes: this corpus was made by `pile`, and is the same bytes whenever it is made from the "
                "raw files and the recipe in `manifest.json`."
            ),
        ),
    ]


def _uses() -> _Answers:
    return [
        ("Has it been used already?", UNKNOWN),
        ("Where are papers and systems that use it listed?", UNKNOWN),
        ("What else could it be used for?", UNKNOWN),
        (
            "What about its making could matter to its uses?",
            "Shares of sources, languages and times are those of the raw files and epochs above.",
        ),
        ("For what should it not be used?", UNKNOWN),
    ]


def _distribution(facts: Facts) -> _Answers:
    licences = "\n".join(f"- {s.pile_set_name}: {s.licence or 'unknown'}" for s in facts.sources)
    return [
        ("Will others get it, when and how?", UNKNOWN),
        (
            "Under which licence?",
            f"That of each document, which the provenance tables state. By source:\n\n{licences}",
        ),
        ("Do third parties or laws restrict it?", UNKNOWN),
    ]


def _maintenance(facts: Facts) -> _Answers:
    return [
        ("Who keeps it, and how can they be reached?", UNKNOWN),
        ("Is there an erratum?", UNKNOWN),
        ("Will it be updated?", f"{UNKNOWN} This build has the fingerprint `{facts.fingerprint}`."),
        (
            "How are people's wishes to be removed met?",
            "A document can be found by its id or origin in the provenance tables. " + UNKNOWN,
        ),
        ("Are older versions kept?", UNKNOWN),
        (
            "Can others add to it?",
            "By making their own: with the recipe in `manifest.json` and raw files of their own.",
        ),
    ]
