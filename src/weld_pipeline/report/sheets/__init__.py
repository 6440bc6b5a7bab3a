"""Sheets: images side by side."""
