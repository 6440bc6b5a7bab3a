"""Reference: distance to the mean features of good images."""
