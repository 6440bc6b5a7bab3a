"""Drawn samples: a small weld shop in the real layouts, from which everything runs without data."""
