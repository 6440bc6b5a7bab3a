"""Frames: decode, arc gate, clips, probe, fingerprints, contact sheets."""
