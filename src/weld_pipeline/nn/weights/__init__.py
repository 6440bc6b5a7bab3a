"""Weights: which pretrained ones there are, where they lie, and how they are had."""
