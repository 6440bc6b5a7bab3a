"""Opening a graph: one table of engines, by name."""

from pathlib import Path

from weld_pipeline.engines.onnxruntime import OnnxRuntimeSession
from weld_pipeline.engines.openvino import OpenVinoSession
from weld_pipeline.engines.session import Engine, Session, SessionFactory

ENGINES: dict[Engine, SessionFactory] = {"onnxruntime": OnnxRuntimeSession, "openvino": OpenVinoSession}


def open_graph(graph: Path, *, engine: Engine, n_threads: int) -> Session:
    """Return an ONNX graph, ready to run.

    Args:
        graph: The file.
        engine: `openvino` needs that package and takes a second to start; detectors took 4 to 20 % less time on two
            processors, one of them on one 19 % more (`docs/results.md`). Its arithmetic is float32, too.
        n_threads: Threads of the network; 0 leaves their number to the engine, which takes one a core.

    Raises:
        WeldError: If the engine is not installed.
        Exception: Whatever the engine raises of a graph it cannot load.
    """
    return ENGINES[engine](graph, n_threads=n_threads)
