"""Byte-level BPE in the GPT-NeoX manner: training, encoding, and the files other tools load."""
