"""Duplicate and near-duplicate detection over documents."""
