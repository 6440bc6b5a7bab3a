"""Foundations of every room: errors, files, keyed per-item work, table schemas, provenance."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
