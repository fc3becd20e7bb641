"""Trust nothing: what a run published is checked, mended, and compared."""
