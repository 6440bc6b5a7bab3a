"""Training: the loop, its folder and its curves, which every network shares."""
