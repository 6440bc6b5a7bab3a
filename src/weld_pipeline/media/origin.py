"""Does a recording say of itself that no camera made it?"""

from pathlib import Path

import av
from av.error import FFmpegError

from weld_pipeline.core.errors import WeldError

# How the comment in the header of every drawn recording begins.
DRAWN = "drawn by weld-pipeline"


def is_drawn(path: Path) -> bool:
    """Return whether the header of a recording says that it was drawn.

    Raises:
        WeldError: If it is missing or cannot be opened.
    """
    if not path.is_file():
        raise WeldError(f"video {path}: no such file; check the path")
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment", "").startswith(DRAWN)
    except FFmpegError as error:
        raise WeldError(f"video {path}: cannot be opened ({error.strerror}); is it a video file?") from error
