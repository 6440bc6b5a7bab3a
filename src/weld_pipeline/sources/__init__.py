"""Layouts on disk → manifest rows: the Intel tree, plain folders, a csv of labels, a listing of names."""
