"""Anomaly detectors at work: an image in, a score, a map and a verdict out."""
