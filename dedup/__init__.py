"""Duplicate and near-duplicate detection over documents.

Each part of the documents is signed on its own (`minhash.sign`), and kept as a table
(`signatures.Signatures`). One step then looks at the signatures of all parts and decides which
documents are duplicates: in memory (`clusters.decide`), or from files with memory by setting
(`spill.Spill`, `external.decide_spilled`; `components.cluster_spilled` where any document of a
cluster may stay), with the bands of `bands.choose_bands`.

Beside that, `decontaminate` finds benchmarks in texts, and `lines` repeated lines.
"""
