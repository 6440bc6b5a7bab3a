"""PatchCore: distance to a memory bank of patches of good images."""
