"""Frames of a TIG weld pool, as a camera behind a filter sees it."""
