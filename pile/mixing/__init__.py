"""From documents to their places in the corpus: how often, in which split, in which order."""
