"""A torch module as one ONNX file."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.anomaly.graph import AnomalyGraph
from weld_pipeline.nn.image.graph import ImageGraph
from weld_pipeline.runtime.anomaly import graph as detector_graph
from weld_pipeline.runtime.image import graph as image_graph
from weld_pipeline.runtime.video.graph import INPUTS, OUTPUTS

OPSET = 18
_MAX_BYTES = 2**31 - 1  # protobuf's limit; beyond it weights would need a file of their own
# An odd size that no recording has: a size frozen into the graph by mistake would show at the first real frame.
_EXAMPLE_SIZE = (75, 101)


def export_video_graph(module: nn.Module, *, window: int, latent_size: int) -> bytes:
    """Return the ONNX graph of a video classifier: uint8 frames and the state so far → probabilities and new state.

    The number of clips, and height and width of the frames, stay dynamic. Equal modules give equal bytes.

    Raises:
        WeldError: If the graph is too large for one file.
    """
    n_clips, height, width = torch.export.Dim("N"), torch.export.Dim("H"), torch.export.Dim("W")
    return _export(
        module,
        example_inputs(window=window, latent_size=latent_size),
        inputs=INPUTS,
        outputs=OUTPUTS,
        dynamic=({0: n_clips, 2: height, 3: width}, None, None, None),
    )


def export_image_graph(module: ImageGraph) -> bytes:
    """Return the ONNX graph of an image classifier: uint8 images and views → probabilities.

    The number of images and of views stays dynamic, and height and width where the graph resizes. Equal modules give equal
    bytes.

    Raises:
        WeldError: If the graph is too large for one file.
    """
    preprocess = module.classifier.preprocess
    views = crop_views("ten", resized_px=preprocess.resized_px, crop_px=preprocess.crop_px)
    images, dims = _example_images(module.resizes, px=preprocess.resized_px, n_channels=preprocess.n_channels)
    return _export(
        module,
        (images, torch.from_numpy(views[:3])),
        inputs=image_graph.INPUTS,
        outputs=image_graph.OUTPUTS,
        dynamic=(dims, {0: torch.export.Dim("V")}),
    )


def export_anomaly_graph(module: AnomalyGraph) -> bytes:
    """Return the ONNX graph of an anomaly detector: uint8 images, or tiles of them → score and map of each.

    The number of images stays dynamic, and height and width where the graph resizes. Equal modules give equal bytes.

    Raises:
        WeldError: If the graph is too large for one file.
    """
    preprocess = module.preprocess
    images, dims = _example_images(module.resizes, px=preprocess.image_px, n_channels=preprocess.n_channels)
    return _export(module, (images,), inputs=detector_graph.INPUTS, outputs=detector_graph.OUTPUTS, dynamic=(dims,))


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: tuple[dict[int, Any] | None, ...],
) -> bytes:
    # Torch's own report of each pass is of no use to whoever runs the pipeline.
    logging.getLogger("torch.onnx").setLevel(logging.WARNING)
    with _out_of_place(module):
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            verbose=False,
        )
    assert program is not None  # None only where a file was asked for
    graph = program.model_proto
    _strip_origins(graph)
    if graph.ByteSize() > _MAX_BYTES:
        raise WeldError(
            f"graph of {graph.ByteSize() / 1e9:.1f} GB does not fit one ONNX file (2 GB); use a smaller trunk"
        )
    content: bytes = graph.SerializeToString(deterministic=True)
    onnx.checker.check_model(content, full_check=True)
    return content


@contextmanager
def _out_of_place(module: nn.Module) -> Iterator[None]:
    """Let activations return new tensors for a while.

    The exporter takes one that works in place apart into comparisons of symbolic sizes, which was a third of its time. The
    nodes of the graph, and what they compute, are the same.
    """
    in_place: list[Any] = [part for part in module.modules() if getattr(part, "inplace", False) is True]
    for part in in_place:
        part.inplace = False
    try:
        yield
    finally:
        for part in in_place:
            part.inplace = True


def example_inputs(
    *, window: int, latent_size: int
) -> tuple[UInt8[Tensor, "N T H W 3"], Float[Tensor, " L"], Float[Tensor, " 1"], Float[Tensor, " 1"]]:
    """Return inputs of the right types and shapes, two clips of noise."""
    generator = torch.Generator().manual_seed(0)
    shape = (2, window, *_EXAMPLE_SIZE, 3)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return frames, torch.zeros(latent_size), torch.zeros(1), torch.zeros(1)


def _example_images(
    resizes: bool, *, px: int, n_channels: int
) -> tuple[UInt8[Tensor, "2 h w C"], dict[int, torch.export.Dim]]:
    """Return two images as a graph takes them, and which of their axes stay dynamic."""
    shape = (*_EXAMPLE_SIZE, 3) if resizes else (px, px, n_channels)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, *shape), dtype=torch.uint8, generator=generator)
    names = ("N", "H", "W") if resizes else ("N",)
    return images, {axis: torch.export.Dim(name) for axis, name in enumerate(names)}


def _strip_origins(graph: Any) -> None:
    """Take out what the exporter notes on where each node came from: paths of this machine, different on the next."""
    del graph.metadata_props[:]
    graph.doc_string = ""
    for part in (graph.graph, *graph.functions):
        del part.metadata_props[:]
        part.doc_string = ""
        values = [*part.node, *part.value_info]
        if part is graph.graph:
            values += [*part.input, *part.output, *part.initializer]
        for value in values:
            del value.metadata_props[:]
            value.doc_string = ""
