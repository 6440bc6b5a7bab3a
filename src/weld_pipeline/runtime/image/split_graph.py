"""Split graph: an image bundle as three files that chain: pre-processing, model, post-processing.

The pre-processing script holds the source of this project's own reader, word for word: what judges there and what
judges here see the same pixels, and there is no second reader to keep in step.
"""

import ast
import inspect
from pathlib import Path
from types import ModuleType

from jinja2 import Environment, PackageLoader, StrictUndefined

from weld_pipeline.core import errors
from weld_pipeline.core.files import write_bytes
from weld_pipeline.media import image_errors, images, resize, views
from weld_pipeline.media.formats import dicom, jpeg_views, levels, png_pnm, tiff_pages, tiff_samples
from weld_pipeline.runtime.bundle import GRAPH, Bundle
from weld_pipeline.runtime.contracts import ViewsInput

_SCRIPTS = ("pre_processing.py", "post_processing.py", "README.md")
# In the order in which each needs those before it.
_READER = (errors, image_errors, levels, dicom, jpeg_views, png_pnm, tiff_pages, tiff_samples, images, resize, views)
# Shapes are for the tests of this project; without them the script needs numpy and Pillow alone.
_LEFT_OUT = ("weld_pipeline", "jaxtyping")


def write_triple(bundle: Bundle, folder: Path) -> list[Path]:
    """Return the files written: the model as it is, a script before it and one behind it, and how they chain.

    They run with numpy, Pillow and onnxruntime. Files of these names in `folder` are replaced.

    Args:
        bundle: A verified bundle of an image classifier.
        folder: Made if it is not there.

    Raises:
        WeldError: If the bundle inspects video, or finds anomalies: cutting and stitching tiles is no script of a page.
    """
    contract = bundle.fed(ViewsInput)
    environment = Environment(
        loader=PackageLoader("weld_pipeline.runtime.image"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - Python and Markdown, not HTML
        keep_trailing_newline=True,
    )
    environment.filters["repr"] = repr
    imports, reader = _source_of(*_READER)
    calibrator = bundle.description.decision.calibrator
    platt = calibrator.platt if calibrator else None
    fields = {
        "family": bundle.description.family,
        "sha256": bundle.sha256,
        "banners": bundle.description.banners,
        "contract": contract,
        "description": bundle.description,
        "platt": (platt.a, platt.b) if platt else None,
        "imports": imports,
        "reader": reader,
    }
    contents = {GRAPH: (bundle.folder / GRAPH).read_bytes()}
    contents |= {name: environment.get_template(f"{name}.j2").render(fields).encode() for name in _SCRIPTS}
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return [folder / name for name in contents]


def _source_of(*modules: ModuleType) -> tuple[str, str]:
    """Return the imports of some modules, each once, and the rest of their source, without their docstrings."""
    imports: list[str] = []
    bodies = []
    for module in modules:
        source = inspect.getsource(module)
        lines: list[str | None] = [*source.splitlines()]
        for index, node in enumerate(ast.parse(source).body):
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            if is_import and not _is_left_out(node):
                imports.append(ast.unparse(node))
            if is_import or (index == 0 and isinstance(node, ast.Expr)):
                assert node.end_lineno is not None  # parsed from text, so it knows its lines
                lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
        bodies.append("\n".join(line for line in lines if line is not None).strip("\n"))
    return "\n".join(dict.fromkeys(imports)), "\n\n\n".join(bodies)


def _is_left_out(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _LEFT_OUT
