"""Duplicate and near-duplicate detection over documents.

Each part of the documents is signed on its own (`minhash.sign`), and kept as a table
(`signatures.Signatures`). One step then looks at the signatures of all parts and decides which
documents are duplicates (`clusters.decide`, with the bands of `bands.choose_bands`).
"""
