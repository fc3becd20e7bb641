"""Bits per UTF-8 byte of a language model on what a corpus holds out, by source: the Pile's own metric."""
