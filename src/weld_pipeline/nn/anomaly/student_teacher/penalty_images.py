"""Penalty images, which a student must not learn to describe: photographs of a folder, or drawn ones."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.media.images import read_image
from weld_pipeline.media.resize import resize_to_square
from weld_pipeline.media.suffixes import media_of
from weld_pipeline.nn.image.preprocess import luma

_GREY_SHARE = 0.3  # of images of a folder that lose their colour; algorithm 1 of the paper
_N_LEAVES = 160
_TEXTURE = 25.0  # standard deviation of the texture on the leaves [pixel values]


@dataclass(frozen=True)
class PenaltyImages:
    """Images for the penalty of §3.2, which the paper takes from ImageNet.

    Without a folder they are drawn: occluding discs of random colour and of sizes as in nature ("dead leaves"), under a
    texture whose spectrum falls with frequency. Such images have the edges and spectra of photographs, and networks
    learn much the same from both (Baradad et al. 2021, arXiv 2106.05963). Shuffled pieces of the training images would
    not do: the inside of a piece is good, and the penalty would keep the student from learning it.

    Attributes:
        folder: Folder of photographs of anything but the part; None draws the images.
    """

    folder: Path | None
    image_px: int
    grey: bool
    seed: int

    def __getitem__(self, place: int) -> UInt8[np.ndarray, "S S C"]:
        """Return the image for a place in the training; it depends on seed and place alone."""
        generator = np.random.default_rng([self.seed, place])
        return self._drawn(generator) if self.folder is None else self._photograph(generator)

    def describe(self) -> dict[str, Any]:
        """Return the record of the images for a model's provenance."""
        if self.folder is None:
            return {"kind": "drawn: dead leaves under a natural spectrum", "seed": self.seed}
        listed = [[path.name, path.stat().st_size] for path in self._files]
        return {"kind": "photographs", "n": len(listed), "digest": content_key(listed), "seed": self.seed}

    @cached_property
    def _files(self) -> list[Path]:
        assert self.folder is not None
        found = sorted(path for path in self.folder.rglob("*") if media_of(path) == "image")
        if not found:
            raise WeldError(
                f"folder {self.folder}: holds no penalty image; put photographs of anything but the part there, "
                "or set student.penalty_images.folder to null to have them drawn"
            )
        return found

    def _photograph(self, generator: np.random.Generator) -> UInt8[np.ndarray, "S S C"]:
        """Return the middle of a photograph resized to a square of twice the side, as in algorithm 1."""
        path = self._files[generator.integers(len(self._files))]
        square = resize_to_square(read_image(path), 2 * self.image_px, grey=False)
        first = self.image_px // 2
        middle = square[first : first + self.image_px, first : first + self.image_px]
        return self._coloured(middle, is_grey=generator.random() < _GREY_SHARE)

    def _drawn(self, generator: np.random.Generator) -> UInt8[np.ndarray, "S S C"]:
        px = self.image_px
        image = np.full((px, px, 3), generator.uniform(0, 255, 3), np.float32)
        # The density of radii is r⁻³ between a fiftieth and a third of the side, which prefers no scale.
        radii = px / 3 / np.sqrt(1 + generator.random(_N_LEAVES) * ((50 / 3) ** 2 - 1))
        centres = generator.integers(0, px, (_N_LEAVES, 2))
        colours = generator.uniform(0, 255, (_N_LEAVES, 3))
        for centre, radius, colour in zip(centres.tolist(), radii.tolist(), colours.tolist(), strict=True):
            cv2.circle(image, centre, max(1, round(radius)), colour, thickness=-1)
        textured = image + _TEXTURE * _natural_noise(px, generator)[..., None]
        return self._coloured(np.clip(textured, 0, 255), is_grey=False)

    def _coloured(
        self, pixels: Float[np.ndarray, "S S 3"] | UInt8[np.ndarray, "S S 3"], *, is_grey: bool
    ) -> UInt8[np.ndarray, "S S C"]:
        image = np.ascontiguousarray(pixels.astype(np.uint8))
        if not (is_grey or self.grey):
            return image
        grey = luma(torch.from_numpy(image)[None])[0].numpy().astype(np.uint8)
        return grey if self.grey else np.repeat(grey, 3, axis=2)


def _natural_noise(px: int, generator: np.random.Generator) -> Float[np.ndarray, "S S"]:
    """Return noise of mean 0 and standard deviation 1 whose amplitude falls as one over frequency."""
    spectrum = np.fft.rfft2(generator.standard_normal((px, px), dtype=np.float32))
    frequency = np.hypot(np.fft.fftfreq(px)[:, None], np.fft.rfftfreq(px)[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency, s=(px, px))
    return (noise / noise.std()).astype(np.float32)
