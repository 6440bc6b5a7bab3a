# ruff: noqa: PLR2004 - an image is made of numbers
"""Photographs of finished welds: one plate a series, close up; or several plates on a table, with boxes around them."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from weld_pipeline.synthetic.drawn.encoding import as_jpeg
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE, Bead, make_bead
from weld_pipeline.synthetic.drawn.surfaces.relief import clouds
from weld_pipeline.synthetic.drawn.surfaces.steel_plate import draw_steel, write_on
from weld_pipeline.synthetic.drawn.surfaces.tabletop import corners, lay, table_top

Photo = UInt8[np.ndarray, "H W 3"]
# In the order of their numbers in the data set.
BOX_CLASSES = ("Bad Weld", "Good Weld", "Defect")
Box = tuple[str, float, float, float, float]


@dataclass(frozen=True)
class LaidPlate:
    """A plate in a photograph.

    Attributes:
        number: Number of the plate in its session.
        at: Places of its corners in the photograph [px].
    """

    number: int
    is_good: bool
    bead: Bead
    at: Float[np.ndarray, "4 2"]


def draw_close_photo(image: DrawnImage) -> bytes:
    """Return a photograph of one plate that nearly fills it, as JPEG."""
    session, rng = image.session_rng("view"), image.rng("view")
    w = image.width
    is_upright = session.random() < 0.4
    across = w * float(session.uniform(0.95, 1.35) * rng.uniform(0.92, 1.1))
    middle = (w * float(rng.normal(0.5, 0.04)), w * float(rng.normal(0.5, 0.04)))
    at = corners(
        middle,
        (across, across * PLATE[1] / PLATE[0]),
        angle=float(rng.normal(0, 0.12)) + (np.pi / 2 if is_upright else 0.0),
        nearer=float(rng.uniform(0.0, 0.1)),
        squeezed=float(session.uniform(0.8, 1.0)),
    )
    is_good = image.label == "good_welds"
    plate = LaidPlate(0, is_good, make_bead(image.session_rng("bead 0"), is_good=is_good), at)
    number = "".join(filter(str.isdigit, image.session))
    text = f"P{number} {session.integers(1, 29)}.{session.integers(1, 13)}" if image.is_written else ""
    return as_jpeg(_taken(image, [plate], 0.9 * w / PLATE[0], text))


def draw_table_photo(image: DrawnImage) -> bytes:
    """Return a frame of a video that shows several plates on a table, as JPEG."""
    photo = _taken(image, laid_plates(image), 0.5 * image.width / PLATE[0], "")
    if image.is_written:  # a caption the publisher laid over the video
        size = image.width / 900
        place = (round(0.03 * image.width), round(0.95 * image.width))
        cv2.putText(photo, "WELD TESTS", place, cv2.FONT_HERSHEY_DUPLEX, size, (250, 200, 40), 2, cv2.LINE_AA)
    return as_jpeg(photo)


def laid_plates(image: DrawnImage) -> list[LaidPlate]:
    """Return the plates in a frame: of a good video all are good, of a bad one the first is bad and others may be."""
    session, rng = image.session_rng("view"), image.rng("view")
    w, n = image.width, int(session.integers(1, 4))
    turn = float(session.choice((0.0, np.pi / 2)) + rng.normal(0, 0.15))
    across = w * float(session.uniform(0.42, 0.6) * rng.uniform(0.92, 1.08))
    squeezed, drift = float(session.uniform(0.85, 1.0)), rng.normal(0, 0.04, 2)
    plates = []
    for number in range(n):
        is_good = image.label == "Good Weld" or (number > 0 and bool(session.random() < 0.4))
        # They lie beside each other across their beads.
        step = (number - (n - 1) / 2) * across * 0.8
        middle = (w * (0.5 + drift[0]) - step * np.sin(-turn), w * (0.5 + drift[1]) + step * np.cos(turn) * squeezed)
        size = (across, across * PLATE[1] / PLATE[0])
        at = corners((float(middle[0]), float(middle[1])), size, angle=turn, nearer=0.04, squeezed=squeezed)
        plates.append(LaidPlate(number, is_good, make_bead(image.session_rng(f"bead {number}"), is_good=is_good), at))
    return plates


def boxes(image: DrawnImage) -> list[Box]:
    """Return the boxes of a frame of `draw_table_photo`.

    Returns:
        Class, then middle and size of each box as shares of the image's side; what lies outside is cut off.
    """
    visible: list[Box] = []
    for plate in laid_plates(image):
        corner = np.array([(0, 0), (PLATE[0], 0), PLATE, (0, PLATE[1])], np.float32)
        matrix = cv2.getPerspectiveTransform(corner, plate.at)
        regions = [("Good Weld" if plate.is_good else "Bad Weld", plate.bead.outline)]
        for left, top, right, bottom in plate.bead.flawed:
            regions.append(("Defect", np.array([(left, top), (right, top), (right, bottom), (left, bottom)])))
        for name, points in regions:
            seen = cv2.perspectiveTransform(points[None].astype(np.float32), matrix)[0] / image.width
            low, high = np.clip(seen.min(0), 0, 1), np.clip(seen.max(0), 0, 1)
            if (high - low).min() > 0.01:
                middle, size = (low + high) / 2, high - low
                visible.append((name, float(middle[0]), float(middle[1]), float(size[0]), float(size[1])))
    return visible


def _taken(image: DrawnImage, plates: list[LaidPlate], scale: float, text: str) -> Photo:
    """Return the photograph of plates, drawn at `scale`, on the session's table, taken by its camera."""
    session, rng = image.session_rng("camera"), image.rng("camera")
    photo = _ground(image)
    for plate in plates:
        steel = draw_steel(plate.bead, image.session_rng(f"steel {plate.number}"), scale=scale)
        if text:
            write_on(steel, text, plate.bead, scale=scale, rng=image.session_rng("writing"))
        lay(photo, steel, plate.at)
    gain = session.normal(1, 0.03, 3) * session.uniform(0.75, 1.2) * rng.uniform(0.88, 1.12)
    grain = 2.5 * rng.standard_normal((*photo.shape[:2], 1), dtype=np.float32)
    developed = np.clip(photo * gain.astype(np.float32) + grain, 0, 255).astype(np.uint8)
    if session.random() < 0.25:  # kept in grey, as many photographs of the data set are
        grey = cv2.cvtColor(developed, cv2.COLOR_RGB2GRAY)
        developed = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.25:  # the hand shook
        developed = cv2.blur(developed, (int(rng.integers(2, 3 + image.width // 160)), 1))
    return developed


def _ground(image: DrawnImage) -> Photo:
    """Return what the plates lie on: white paper, a grey bench, cardboard or wood."""
    session, w = image.session_rng("ground"), image.width
    kind = int(session.integers(0, 6))
    if kind < 3:
        return table_top(w, w, kind).copy()
    tone = float(session.uniform(205, 245) if kind < 5 else session.uniform(70, 120))
    along = np.arange(w, dtype=np.float32) / w
    slope = 1 - 0.25 * np.hypot(along - session.uniform(), (along - session.uniform())[:, None])
    grey = tone * slope + 3 * clouds((w, w), size=(w / 5, w / 5), rng=session)
    warm = grey[..., None] * np.array((1.0, 0.985, 0.96), np.float32)
    return np.clip(warm, 0, 255).astype(np.uint8)
