"""A bundle at work: numpy, onnxruntime and PyAV; no torch, no Kedro."""
