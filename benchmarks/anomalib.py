"""PatchCore and EfficientAD against anomalib 2.7: what they find, and what time and memory they take.

The peer has an environment of its own, made at the first run and kept; both sides are processes that answer the same jobs
and take the times themselves, so neither start nor imports count. Both have the same trunk with the same weights, the
same layers, images, number of centres and threads; ours looks at images as the peer does by default, squashed to
256 px with neither equalisation nor smoothing. Maps and scores are judged by one exact code at 256 px, the peer's before
its post-processing, which cuts them to [0, 1] and could only cost it.

The peer's coreset asks malloc for an array of all its points anew for each centre. Where that array is just below glibc's
limit of 32 MiB, as with the 28 hazelnuts, freed ones are not found again and its memory grows by one a centre: more than
23 GiB for 1,500 of them. Its fits therefore run with that limit set to 4 MiB, as if the array were above it.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import timm
import torch
import torchvision
from safetensors.torch import save_file

from benchmarks._drawn import draw_seams
from benchmarks._workers import peer_python
from benchmarks.anomaly.fits import fit_rows, memory_rows
from benchmarks.anomaly.rows import IMAGE_PX, Setting, coreset_rows, step_rows
from benchmarks.anomaly.sets import image_sets
from benchmarks.common import Row, show

NETWORK, LAYERS = "mobilenetv2_100", ("blocks.2", "blocks.4")
_PARTS: dict[str, Callable[[Setting], list[Row]]] = {
    "fit": fit_rows,
    "coreset": coreset_rows,
    "memory": memory_rows,
    "step": step_rows,
}
# Beyond these the peer alone takes minutes a set.
_MAX_GOOD_IF_QUICK = 50


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="less of the same work")
    parser.add_argument("--data", type=Path, action="append", help="folder of image sets; may be given again")
    parser.add_argument("--network", default=NETWORK, help="timm's name of the trunk")
    parser.add_argument("--layers", default="+".join(LAYERS), help="its layers, as layer2+layer3")
    parser.add_argument("--weights", type=Path, help="safetensors of that trunk; random ones without")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of either side")
    parser.add_argument("--part", choices=sorted(_PARTS), action="append", help="only this; may be given again")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--peer-env", type=Path, default=cache / "weld-pipeline" / "anomalib-2.7")
    return parser.parse_args()


def compare(arguments: argparse.Namespace, folder: Path) -> list[Row]:
    """Return the rows of all parts, or of those asked for."""
    named = os.environ.get("WELD_REAL_DATA")
    roots = arguments.data or ([Path(named)] if named else [])
    sets = [each for place, root in enumerate(roots) for each in image_sets(root, folder / f"sets_{place}")]
    if not sets:
        print(
            "no set of images is named by --data or WELD_REAL_DATA: drawn weld seams, on which no metric means anything"
        )
        draw_seams(folder / "drawn" / "weld_seams")
        sets = image_sets(folder / "drawn", folder / "sets")
    if arguments.quick:
        sets = [each for each in sets if each.n_good <= _MAX_GOOD_IF_QUICK] or sets[:1]
    setting = Setting(
        trunk={
            "name": arguments.network,
            "layers": arguments.layers.split("+"),
            "image_px": IMAGE_PX,
            "weights": str(_weights(arguments.network, arguments.weights, roots, folder)),
        },
        sets=sets,
        peer=peer_python(arguments.peer_env, _requirements()),
        n_threads=arguments.threads,
        folder=folder,
        is_quick=arguments.quick,
    )
    return [each for name in arguments.part or _PARTS for each in _PARTS[name](setting)]


def _requirements() -> list[str]:
    """Return what the peer's environment holds: torch and timm as here, or their speed would be compared too."""
    ours = {"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    return ["anomalib[openvino]==2.7.*", *(f"{name}=={version.split('+')[0]}" for name, version in ours.items())]


def _weights(network: str, given: Path | None, roots: Sequence[Path], folder: Path) -> Path:
    known = [root / "weights" / f"timm-{network}.safetensors" for root in roots]
    found = given or next((path for path in known if path.is_file()), None)
    if found:
        return found.resolve()
    print(f"no weights of {network} were found: random ones, and metrics that mean little; name some by --weights")
    torch.manual_seed(0)
    path = folder / f"{network}.random.safetensors"
    save_file(timm.create_model(network, pretrained=False).state_dict(), path)
    return path


def main() -> None:
    """Print the table, write the rows."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        rows = compare(arguments, Path(name))
    show(f"anomalib 2.7, {arguments.threads} thread(s)", rows)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps([asdict(each) for each in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
