"""A bundle at work: numpy, onnxruntime, PyAV, Pillow, pydantic and lazy-loader; no torch, no Kedro."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
