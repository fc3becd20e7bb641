"""What other tools take for the same documents; run by `benchmarks/dedup.py`, one process a figure.

    python benchmarks/dedup_peers.py PEER TASK PERMUTATIONS DOCUMENTS.parquet OUT.parquet

TASK is ``signatures`` (texts in memory; prints CPU seconds) or ``pipeline`` (from Parquet to flags
in Parquet). Each peer gets the words between blanks as its shingles where it takes shingles.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

N = 5
BANDS = {10: (3, 3), 128: (32, 4)}


def shingles(text: str) -> set[str]:
    """Return the set of word 5-grams of a text."""
    return set(shingle_list(text))


def shingle_list(text: str) -> list[str]:
    """Return the word 5-grams of a text, repeats too, in the fastest way that Python has."""
    words = text.split()
    return list(map(" ".join, zip(*(words[at:] for at in range(N)), strict=False)))


def datasketch_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign with datasketch's default scheme, all shingles of a text in one call."""
    from datasketch import MinHash

    for text in texts:
        signature = MinHash(num_perm=permutations)
        signature.update_batch([shingle.encode("utf-8") for shingle in shingles(text)])
        yield signature


def datasketch_legacy_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign with the scheme before 2.0, which the Pile used."""
    from datasketch import MinHash

    for text in texts:
        signature = MinHash(num_perm=permutations, scheme="legacy")
        signature.update_batch([shingle.encode("utf-8") for shingle in shingles(text)])
        yield signature


def datasketch_pipeline(texts: Sequence[str], permutations: int) -> list[bool]:
    """Insert if new, as for OpenWebText2."""
    from datasketch import MinHashLSH

    index = MinHashLSH(num_perm=permutations, params=BANDS[permutations])
    flags = []
    for number, signature in enumerate(datasketch_signatures(texts, permutations)):
        flags.append(bool(index.query(signature)))
        if not flags[-1]:
            index.insert(number, signature)
    return flags


def rensa_matrix(texts: Sequence[str], permutations: int) -> Any:
    """Sign sets of shingles in one call."""
    from rensa import RMinHash

    return RMinHash.digest_matrix_from_token_sets(list(map(shingles, texts)), permutations, 42)


def rensa_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign a few hundred texts at a time, so that their shingles fit in memory."""
    for start in range(0, len(texts), 500):
        yield rensa_matrix(texts[start : start + 500], permutations)


def rensa_lists_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign lists of shingles, repeats too: the least hash is the same, and no set is made."""
    from rensa import RMinHash

    for start in range(0, len(texts), 100):
        lists = list(map(shingle_list, texts[start : start + 100]))
        yield RMinHash.digest_matrix_from_token_sets(lists, permutations, 42)


def rensa_pipeline(texts: Sequence[str], permutations: int) -> list[bool]:
    """Flag duplicates by its own index, a few hundred texts at a time."""
    return rensa_flags(rensa_signatures, texts, permutations)


def rensa_lists_pipeline(texts: Sequence[str], permutations: int) -> list[bool]:
    """Flag duplicates by its own index, from lists of shingles."""
    return rensa_flags(rensa_lists_signatures, texts, permutations)


def rensa_flags(
    sign: Callable[[Sequence[str], int], Iterator[Any]], texts: Sequence[str], permutations: int
) -> list[bool]:
    """Put signatures into an index, and flag those that are there already."""
    from rensa import RMinHashLSH

    bands, rows = BANDS[permutations]
    index = RMinHashLSH(0.5, bands * rows, bands)
    flags: list[bool] = []
    for matrix in sign(texts, bands * rows):
        flags += index.insert_matrix_and_query_duplicate_flags(matrix, len(flags))
    return flags


def textdedup_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign with text-dedup's own function and its default settings."""
    import numpy as np
    from text_dedup.minhash import embed_func
    from text_dedup.utils import xxh3_32hash

    draw = np.random.RandomState(42).randint
    prime = np.uint64((1 << 61) - 1)
    drawn = tuple(draw(low, prime, permutations, dtype=np.uint64) for low in (1, 0))
    for number, text in enumerate(texts):
        yield embed_func(
            text,
            number,
            num_perm=permutations,
            ngram_size=N,
            min_length=N,
            hashranges=[(0, permutations)],
            permutations=drawn,
            hash_func=xxh3_32hash,
            dtype=np.uint64,
            max_hash=np.uint32((1 << 32) - 1),
            modulo_prime=prime,
        )


def datatrove_signatures(texts: Sequence[str], permutations: int) -> Iterator[Any]:
    """Sign with datatrove's own step, with its words (spaCy's) and text normalisation."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n_grams=N, num_buckets=permutations // 2, hashes_per_bucket=2)
    step = MinhashDedupSignature("/dev/null", config)
    for number, text in enumerate(texts):
        yield step.get_signature(step.get_shingles(Document(text, str(number)).text))


SIGNATURES: dict[str, Callable[[Sequence[str], int], Iterator[Any]]] = {
    "datasketch": datasketch_signatures,
    "datasketch-legacy": datasketch_legacy_signatures,
    "rensa": rensa_signatures,
    "rensa-lists": rensa_lists_signatures,
    "text-dedup": textdedup_signatures,
    "datatrove": datatrove_signatures,
}
PIPELINES = {
    "datasketch": datasketch_pipeline,
    "rensa": rensa_pipeline,
    "rensa-lists": rensa_lists_pipeline,
}
PACKAGES = {"datasketch-legacy": "datasketch", "rensa-lists": "rensa"}


def main() -> None:
    """Run one task of one peer and print its CPU seconds and version."""
    peer, task, permutations, source, target = sys.argv[1:]
    if task == "signatures":
        texts = pq.read_table(source)["text"].to_pylist()
        next(iter(SIGNATURES[peer](texts[:1], int(permutations))))  # loads what it loads
        started = time.process_time()
        for _ in SIGNATURES[peer](texts, int(permutations)):
            pass
    else:
        started = time.process_time()
        texts = pq.read_table(source)["text"].to_pylist()
        flags = PIPELINES[peer](texts, int(permutations))
        pq.write_table(pa.table({"duplicate": flags}), target)
    spent = time.process_time() - started
    print(json.dumps({"seconds": spent, "version": version(PACKAGES.get(peer, peer))}))


if __name__ == "__main__":
    main()
