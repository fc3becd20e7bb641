"""Randomness without state: every draw is a keyed hash of what it decides about.

A draw depends on the seed, its purpose and the names given, and on nothing else: not on order,
worker or history. BLAKE2b with 8-byte digests (RFC 7693), names separated by a NUL byte.
"""

import hashlib

_TOP = 1 << 64


def key(seed: int, purpose: str, *names: str | int) -> int:
    """Return a uniform 64-bit integer for these names."""
    text = "\0".join((purpose, *map(str, names)))
    sha = hashlib.blake2b(text.encode(), digest_size=8, key=str(seed).encode())
    return int.from_bytes(sha.digest(), "big")


def unit(seed: int, purpose: str, *names: str | int) -> float:
    """Return a uniform number in [0, 1) for these names."""
    return key(seed, purpose, *names) / _TOP
