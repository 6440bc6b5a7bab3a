"""A network camera that sends JPEG images over HTTP, as most do, at a rate that it announces nowhere."""

import io
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import numpy as np
from PIL import Image


class JpegCamera:
    """Serves the same images to each who asks, from the first on; a context manager.

    Args:
        images: What it sees. FFmpeg reads 2 KiB before it knows what comes: smaller images would seem to come together.
        fps: Images a second.
        hangs_after: Number of images after which it sends nothing more and keeps the line open; None: never.
    """

    def __init__(self, images: Sequence[np.ndarray], *, fps: float, hangs_after: int | None = None) -> None:
        self.jpegs = jpegs = [_jpeg(image) for image in images]
        self._stop = stop = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                began = time.monotonic()
                for index, jpeg in enumerate(jpegs):
                    if index == hangs_after:
                        stop.wait(30)
                        return
                    time.sleep(max(0.0, began + index / fps - time.monotonic()))
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it can be watched."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()


def _jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
