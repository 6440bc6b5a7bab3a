"""Layouts of drawn images: their classes, their file names, and the files beside them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from weld_pipeline.synthetic.drawn.files import FilePlan
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.images.photo import BOX_CLASSES, boxes, draw_close_photo, draw_table_photo
from weld_pipeline.synthetic.drawn.images.radiograph import CODES, draw_radiograph
from weld_pipeline.synthetic.drawn.images.strip_surface import STRIP_CLASSES, draw_strip
from weld_pipeline.synthetic.drawn.tig.frame import draw_tig_frame
from weld_pipeline.synthetic.drawn.tig.pool import AL5083, SS304

# Set-up and trial, which the camera's software of the data sets appends to the time of a run.
_STEEL_NOTES = {
    "lack_of_shielding_gas": ("50mmLens 200A w.s.11.5cm.m + no shielding gas",),
    "high_travel_speed": ("50mmLens w.s.75cm.m", "50mmLens w.s.140cm.m"),
    "contamination": ("50mmLens added slug", "50mmLens 200A w.s.11.5cm.m + glue"),
}
_PLAIN_NOTES = ("50mmLens w.s.16cm.m", "50mmLens 250A 22V w.s.lev8", "50mmLens 220A w.s.16cm.m try joinning 5mmPlate")


@dataclass(frozen=True)
class Layout:
    """Layout of the images of one data set on disk.

    Attributes:
        classes: Class names, in the order of the data set's own numbers.
        session_name: Function that returns the name of a session from its class, its running number and a source of variation.
        image_name: Function that returns the path of an image from class, split and session, and its running numbers in
            the session and in its class.
        draw: Function that returns the bytes of an image.
        side_files: Function that returns the files beside the images, each with its recipe.
    """

    classes: tuple[str, ...]
    session_name: Callable[[str, int, np.random.Generator], str]
    image_name: Callable[[str, str, str, int, int], str]
    draw: Callable[[DrawnImage], bytes]
    side_files: Callable[[Sequence[DrawnImage]], list[tuple[FilePlan, object]]]


def _steel_run(label: str, number: int, rng: np.random.Generator) -> str:
    note = str(rng.choice(_STEEL_NOTES.get(label, _PLAIN_NOTES)))
    return f"{_run_time(datetime(2016, 7, 5, 11, 37), number, rng)}-{note}"  # noqa: DTZ001 - the recorder knows no zone


def _aluminium_run(label: str, number: int, rng: np.random.Generator) -> str:  # noqa: ARG001 - names tell no class
    part = rng.choice(("", "-part1", "-part2"))
    return f"{_run_time(datetime(2017, 9, 4, 10, 12), number, rng)}-Al 2mm{part}"  # noqa: DTZ001


def _run_time(first: datetime, number: int, rng: np.random.Generator) -> str:
    at = first + timedelta(days=number // 12, minutes=25 * (number % 12), seconds=float(rng.uniform(0, 900)))
    return f"{at:%y%m%d-%H%M%S}"


def _tig_classes(images: Sequence[DrawnImage], *, classes: tuple[str, ...]) -> list[tuple[FilePlan, object]]:
    """Return `<split>/<split>.json` of each split: path relative to the split → number of the class."""
    splits: dict[str, dict[str, int]] = {}
    for image in images:
        split, _, path = image.path.partition("/")
        splits.setdefault(split, {})[path] = classes.index(image.label)
    return [
        (FilePlan(f"{split}/{split}.json", partial(str.encode, json.dumps(numbers))), numbers)
        for split, numbers in splits.items()
    ]


def _steel_frame(label: str, split: str, session: str, number: int, in_class: int) -> str:  # noqa: ARG001
    return f"{split}/{session}/image-{_frame(session, number):04d}.png"


def _aluminium_frame(label: str, split: str, session: str, number: int, in_class: int) -> str:  # noqa: ARG001
    return f"{split}/{session}/frame_{_frame(session, number):05d}.png"


def _frame(session: str, number: int) -> int:
    """Return the number of a kept frame: each recording was thinned at its own rate."""
    start, step = hashlib.md5(session.encode(), usedforsecurity=False).digest()[:2]
    return 20 + start + number * (7 + step % 60)


def _table_frame(label: str, split: str, session: str, number: int, in_class: int) -> str:  # noqa: ARG001
    name = f"{session}_mp4-{_frame(session, number)}"
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{split}/images/{name}_jpg.rf.{digest}.jpg"


def _yolo_files(images: Sequence[DrawnImage]) -> list[tuple[FilePlan, object]]:
    """Return `data.yaml` and the text with the boxes of each image."""
    names = "".join(f"- {name}\n" for name in BOX_CLASSES)
    text = f"train: train/images\nval: valid/images\ntest: test/images\nnc: {len(BOX_CLASSES)}\nnames:\n{names}"
    files: list[tuple[FilePlan, object]] = [(FilePlan("data.yaml", partial(str.encode, text)), text)]
    for image in images:
        path = image.path.replace("/images/", "/labels/").removesuffix(".jpg") + ".txt"
        files.append((FilePlan(path, partial(_yolo_lines, image)), asdict(image)))
    return files


def _yolo_lines(image: DrawnImage) -> bytes:
    lines = (f"{BOX_CLASSES.index(name)} {' '.join(f'{part:.6f}' for part in box)}" for name, *box in boxes(image))
    return "\n".join(lines).encode()


def _none(images: Sequence[DrawnImage]) -> list[tuple[FilePlan, object]]:  # noqa: ARG001 - as its siblings
    return []


LAYOUTS: dict[str, Layout] = {
    "tig_ss304": Layout(
        classes=SS304,
        session_name=_steel_run,
        image_name=_steel_frame,
        draw=draw_tig_frame,
        side_files=partial(_tig_classes, classes=SS304),
    ),
    "tig_al5083": Layout(
        classes=AL5083,
        session_name=_aluminium_run,
        image_name=_aluminium_frame,
        draw=draw_tig_frame,
        side_files=partial(_tig_classes, classes=AL5083),
    ),
    "weld_photos": Layout(
        classes=("good_welds", "bad_welds"),
        session_name=lambda label, number, rng: f"plate{number + 1:02d}",  # noqa: ARG005
        image_name=lambda label, split, session, number, in_class: f"{label}/{session}_{number + 1:02d}.jpg",  # noqa: ARG005
        draw=draw_close_photo,
        side_files=_none,
    ),
    "riawelc": Layout(
        classes=tuple(CODES),
        session_name=lambda label, number, rng: f"film{number + 1:02d}",  # noqa: ARG005
        image_name=lambda label, split, session, number, in_class: f"{label}_{in_class:02d}.png",  # noqa: ARG005
        draw=draw_radiograph,
        side_files=_none,
    ),
    "neu": Layout(
        classes=STRIP_CLASSES,
        session_name=lambda label, number, rng: f"coil{number + 1:02d}",  # noqa: ARG005
        image_name=lambda label, split, session, number, in_class: f"{label}_{in_class}.jpg",  # noqa: ARG005
        draw=draw_strip,
        side_files=_none,
    ),
    "weld_boxes": Layout(
        classes=("Good Weld", "Bad Weld"),
        session_name=lambda label, number, rng: f"SampleV{number % 3 + 1}_{number // 3 + 1}",  # noqa: ARG005
        image_name=_table_frame,
        draw=draw_table_photo,
        side_files=_yolo_files,
    ),
}
