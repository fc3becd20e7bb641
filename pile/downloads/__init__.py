"""From upstreams to raw files: which, as whom, and how far."""
