"""Parity: bundle and torch must say the same of the same files, or nothing is released."""
