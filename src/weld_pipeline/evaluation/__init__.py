"""Evaluation: what predictions are worth, with intervals over sessions and beside what could be guessed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
