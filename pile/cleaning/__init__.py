"""Text rules that are not one source's own, each a pure function over a document."""
