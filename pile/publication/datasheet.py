"""A datasheet: the questions of "Datasheets for Datasets", answered by what the run knows.

What the pipeline knows is said with its numbers; what only a person can answer is plainly left open.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from pile.publication.facts import Facts
from pile.publication.markdown import cell, table
from pile.publication.questions import QUESTIONS

UNKNOWN = "*Not known to the pipeline: whoever publishes this corpus should answer here.*"

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

_SCOPES = {"source": "inside each source", "all": "across these sources"}

MASKS = {"email": "e-mail addresses", "ip": "IP addresses", "phone": "telephone numbers"}


def datasheet(facts: Facts) -> str:
    """Return the datasheet of a corpus as Markdown."""
    lines = [
        f"# Datasheet: {cell(facts.title)}",
        "",
        'The questions are those of "Datasheets for Datasets" (Gebru et al., 2021). Figures are those of the',
        "run that made the corpus; see `manifest.json` for its whole recipe.",
        "",
    ]
    known = answers(facts)
    for section, questions in QUESTIONS.items():
        lines += [f"## {section}", ""]
        for key, question in questions.items():
            lines += [f"**{question}**", "", known.get(key, UNKNOWN), ""]
    return "\n".join(lines)


def answers(facts: Facts) -> Mapping[str, str]:
    """Return what the run can answer, wholly or in part, by the word of the question."""
    return {
        "purpose": f"To train language models on text. {UNKNOWN}",
        **_composition(facts),
        **_collection(facts),
        **_preprocessing(facts),
        "future": "Shares of sources, languages and times are those of the raw files and epochs above.",
        "channel": f"As the files that `SHA256SUMS` lists. {UNKNOWN}",
        "licence": "That of each document, which the provenance tables state. By source:\n\n"
        + "\n".join(cell(f"- {s.pile_set_name}: {s.licence or 'unknown'}") for s in facts.sources),
        "restrictions": f"Licences by source stand above; upstreams may have terms of their own. {UNKNOWN}",
        "updates": f"{UNKNOWN} This build has the fingerprint `{facts.fingerprint}`.",
        "retention": "A document can be found by its id or origin in the provenance tables, and left out "
        f"of a later build. {UNKNOWN}",
        "contribution": "By making their own: with the recipe in `manifest.json` and raw files of their "
        "own.",
    }


def _composition(facts: Facts) -> dict[str, str]:
    names = ", ".join(source.pile_set_name for source in facts.sources)
    splits = "; ".join(
        f"{split.name}: {split.documents:,} documents, {split.text_bytes:,} bytes of text"
        for split in facts.splits
    )
    return {
        "instances": f"A document of one of {len(facts.sources)} sources: {names}.",
        "number": f"{facts.documents:,}, copies counted.\n\n{_sources(facts)}",
        "completeness": _sampled(facts),
        "content": "A text, and the name of its source. Its id, origin and licence stand in the provenance "
        "tables, line by line.",
        "labels": "No, but for the name of the source.",
        "missing": "Where the upstream has no text of a part, such as a figure. Records that were left out, "
        f"duplicates apart:\n\n{_rejections(facts)}",
        "relations": "No. Copies of a document share its id; the provenance tables number them.",
        "splits": f"{splits}. {_held_out(facts)}",
        "errors": _redundant(facts),
        "self_contained": "Yes: all text is in the files here.",
        "confidential": "It was not looked for; all raw files were public, or the publisher's own. "
        + UNKNOWN,
        "offensive": _offensive(facts),
        "subpopulations": f"Not as such. {UNKNOWN}",
        "individuals": f"{_masked(facts)} Sources of this kind hold names of people. {UNKNOWN}",
        "sensitive": "It was not looked for. Sources of this kind hold opinions, beliefs and histories of "
        f"people. {UNKNOWN}",
    }


def _held_out(facts: Facts) -> str:
    mix = cast("dict[str, Any]", facts.settings["mix"])
    total: Counter[str] = Counter()
    for source in facts.sources:
        total.update(source.left_out)
    reasons = [f"{count:,} {LEFT_OUT[reason]}" for reason, count in sorted(total.items())]
    more = f" Copies left out of training: {', '.join(reasons)}." if reasons else ""
    return HELD_OUT[mix["hold_out"]] + more


def _sources(facts: Facts) -> str:
    rows = [
        (
            source.pile_set_name,
            f"{source.documents:,}",
            f"{source.text_bytes:,}",
            f"{100 * source.text_bytes / max(facts.text_bytes, 1):.2f} %",
            f"{source.epochs:g}",
        )
        for source in facts.sources
    ]
    return table(("source", "documents", "text bytes", "share", "epochs"), rows, range(1, 5))


def _rejections(facts: Facts) -> str:
    rows = [
        (
            source.pile_set_name,
            f"{source.read:,}",
            _counts(source.rejected),
        )
        for source in facts.sources
    ]
    return table(("source", "records read", "left out, by reason"), rows, {1})


def _sampled(facts: Facts) -> str:
    weighted = [f"{s.pile_set_name} {s.epochs:g}" for s in facts.sources if s.epochs != 1]
    repeated = f" Copies of each document by source: {', '.join(weighted)}." if weighted else ""
    partly = any(s.epochs < 1 for s in facts.sources)
    drawn = " Where those are below 1, that share of the documents was drawn." if partly else ""
    return (
        "All documents of the raw files that were given, but for those rejected and for duplicates."
        f"{repeated}{drawn}"
    )


def _redundant(facts: Facts) -> str:
    looked = [s for s in facts.sources if s.duplicates is not None]
    if not looked:
        return "Duplicates were not looked for."
    found = "; ".join(f"{s.pile_set_name} ({_counts(s.duplicates or {})})" for s in looked)
    others = [s.pile_set_name for s in facts.sources if s.duplicates is None]
    more = f" They were not looked for in {', '.join(others)}." if others else ""
    return (
        f"Duplicates were removed by {facts.settings['dedup']}, {_SCOPES[str(facts.settings['scope'])]}: "
        f"{found}. What it does not find is still there.{more}"
    )


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in found.items()) or "none"


def _offensive(facts: Facts) -> str:
    looked = [s.pile_set_name for s in facts.sources if "c4_bad_words" in s.rules]
    found = (
        f"Documents with words of a list were left out of {', '.join(looked)}; of others nothing was."
        if looked
        else "It was not looked for."
    )
    return f"{found} Sources of this kind hold abuse. {UNKNOWN}"


def _masked(facts: Facts) -> str:
    masked = [
        f"{s.pile_set_name} ({', '.join(f'{MASKS[kind]} {n:,}' for kind, n in s.masked.items())})"
        for s in facts.sources
        if s.masked
    ]
    return (
        f"Masked before copies were made: {'; '.join(masked)}." if masked else "Nothing was masked."
    )


def _collection(facts: Facts) -> dict[str, str]:
    rows = [
        (s.pile_set_name, s.homepage if s.is_of_the_pile else "not known", s.access)
        for s in facts.sources
    ]
    return {
        "acquisition": "From upstreams that hold it as text or documents.\n\n"
        + table(("source", "upstream", "access"), rows),
        "mechanisms": "Raw files were downloaded, or given by the user, and read by the programs that "
        "`manifest.json` names by version; it lists each file and its checksum.",
        "sampling": f"By keyed hashes; the seed is {facts.seed}.",
        "directness": "Via third parties: the upstreams above.",
    }


def _preprocessing(facts: Facts) -> dict[str, str]:
    ruled = [f"{s.pile_set_name}: {', '.join(s.rules)}" for s in facts.sources if s.rules]
    rules = "Rules applied: " + "; ".join(ruled) if ruled else "No further rules were applied"
    return {
        "preprocessing": "Text was taken out of each source's raw format as the recipe says. "
        f"{rules}. Thresholds stand in `manifest.json`, counts of what they left out above."
        f"{_benchmarks(facts)}",
        "raw": f"Not here; `manifest.json` lists raw files by address and checksum. {UNKNOWN}",
        "software": "Yes: this corpus was made by `pile`, and is the same bytes whenever it is made from "
        "the raw files and the recipe in `manifest.json`.",
    }


def _benchmarks(facts: Facts) -> str:
    total: Counter[str] = Counter()
    for source in facts.sources:
        total.update(source.benchmarks)
    found = ", ".join(f"{name} {count:,}" for name, count in sorted(total.items()))
    return f" Documents that held text of a benchmark, left out or cut: {found}." if found else ""
