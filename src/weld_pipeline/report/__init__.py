"""Reports: what was measured and decided, drawn for people."""
