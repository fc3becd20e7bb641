"""One short file a stage: what it needs, what its tasks do, what it publishes."""
