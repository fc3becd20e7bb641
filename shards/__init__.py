"""Memory-mapped, indexed token shards: written, read and verified with NumPy alone."""
