"""Evaluation of anomaly detectors: by image, by pixel, by tile."""
