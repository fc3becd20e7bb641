"""Raw formats that more than one source reads."""
