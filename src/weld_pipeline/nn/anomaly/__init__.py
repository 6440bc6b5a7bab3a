"""Anomaly detectors: fitted on good pictures alone, a score and a map for each picture."""
