"""Timing: where the time of an image went."""

from dataclasses import dataclass

from weld_pipeline.runtime.image_reader import ReadImage


@dataclass(frozen=True)
class ImageTiming:
    """Where the time went.

    Attributes:
        decode_s: Reading, decoding, cutting and resizing [s].
        network_s: In the network [s]; of a batch, an equal share.
        total_s: From the file to the verdict, hash included [s]; of a batch, decoding and share.
    """

    decode_s: float
    network_s: float
    total_s: float

    @classmethod
    def of(cls, found: ReadImage, *, network_s: float) -> "ImageTiming":
        """Return where the time of an image went, once the network has had its share."""
        return cls(found.decode_s, network_s, found.decode_s + found.hash_s + network_s)
