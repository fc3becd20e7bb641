"""Figures of a run, rendered as one self-contained HTML page."""
