"""Made-up documents to measure deduplication with."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def make_corpus(path: Path, size: int) -> None:
    """Write documents of about 6 kB, words by Zipf's law, one of ten an edited copy of another."""
    generator = np.random.default_rng(2)
    letters = np.array(list("etaoinshrdlucmfwygpbvkqxjz"))
    lengths = 2 + np.minimum(generator.poisson(np.linspace(1, 6, 50_000)), 14)
    made = ["".join(generator.choice(letters, size)) for size in lengths]
    vocabulary = np.array(made, dtype=object)
    chances = 1 / np.arange(1, len(vocabulary) + 1)
    cumulative = np.cumsum(chances / chances.sum())
    texts: list[str] = []
    written = 0
    kept: list[np.ndarray[Any, Any]] = []
    while written < size:
        length = int(np.clip(generator.lognormal(6.5, 0.8), 5, 20_000))
        drawn = np.searchsorted(cumulative, generator.random(length))
        if kept and generator.random() < 0.1:
            drawn = kept[generator.integers(len(kept))].copy()
            edited = generator.random(len(drawn)) < generator.choice([0.0, 0.01, 0.03, 0.06])
            drawn[edited] = generator.integers(0, len(vocabulary), int(edited.sum()))
        kept = [*kept[-999:], drawn]
        chosen = vocabulary[np.minimum(drawn, len(vocabulary) - 1)]
        chosen[9::10] += "\n"
        texts.append(" ".join(chosen))
        written += len(texts[-1])
    write_texts(path, texts)


def write_texts(path: Path, texts: list[str]) -> None:
    """Write texts with ids."""
    ids = [f"made/{number}" for number in range(len(texts))]
    table = pa.table({"id": ids, "text": pa.array(texts, pa.large_string())})
    pq.write_table(table, path, compression="zstd", row_group_size=4096)


def head(source: Path, target: Path, size: int) -> int:
    """Write the first documents of a file, about so many bytes; return how many bytes it is."""
    texts: list[str] = []
    written = 0
    for batch in pq.ParquetFile(source).iter_batches(1024, columns=["text"]):
        for text in batch.column("text").to_pylist():
            texts.append(text)
            written += len(text.encode("utf-8"))
            if written >= size:
                write_texts(target, texts)
                return written
    write_texts(target, texts)
    return written
