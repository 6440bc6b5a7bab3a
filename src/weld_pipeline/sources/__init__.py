"""Layouts on disk → manifest rows: the Intel tree, plain folders, a csv of labels, a listing of names."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
