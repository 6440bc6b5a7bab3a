"""Engine table: the session of each engine by name."""

from pathlib import Path

from weld_pipeline.engines.onnxruntime import OnnxRuntimeSession
from weld_pipeline.engines.openvino import OpenVinoSession
from weld_pipeline.engines.session import Engine, Session, SessionFactory

ENGINES: dict[Engine, SessionFactory] = {"onnxruntime": OnnxRuntimeSession, "openvino": OpenVinoSession}


def open_graph(graph: Path, *, engine: Engine, n_threads: int) -> Session:
    """Return an ONNX graph, ready to run.

    Args:
        graph: The file.
        engine: Name of the engine. `openvino` needs that package and takes a second to start. Detectors took 4 to 20 % less
            time with it on two processors; one detector on one of them took 19 % more (`docs/results.md`).
        n_threads: Number of threads; 0 leaves it to the engine, which takes one a core.

    Raises:
        WeldError: If the engine is not installed.
        Exception: The engine's own, for a graph that it cannot load.
    """
    return ENGINES[engine](graph, n_threads=n_threads)
