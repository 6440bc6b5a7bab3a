"""Weld seams in the layout of MVTec AD: sound ones of one production line, and flaws with exact masks."""
