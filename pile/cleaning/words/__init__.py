"""Measures of words, lines and repetition in one text: kernels, and their reference."""
