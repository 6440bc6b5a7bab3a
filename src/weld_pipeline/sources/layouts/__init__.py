"""Layouts: how data sets lie on disk, one module each."""
