"""Failures in one line: a full disk, a place that may not be written to, mistakes; a defect has none."""

import errno
from pathlib import Path

import pytest
from kedro.io import AbstractDataset, DataCatalog, DatasetError

from weld_pipeline.cli.failures import one_line
from weld_pipeline.core.errors import WeldError


class FullDisk(AbstractDataset):
    """Saves to the device that is always full."""

    def _load(self):
        raise NotImplementedError

    def _save(self, data):
        with Path("/dev/full").open("w") as file:
            file.write(data)

    def _describe(self):
        return {"filepath": "/shop/data/08_reporting/report.html"}


def raised(action, kind):
    with pytest.raises(kind) as error:
        action()
    return error.value


def test_full_disk_names_the_file_and_says_what_is_kept():
    catalog = DataCatalog({"report": FullDisk()})
    said = one_line(raised(lambda: catalog.save("report", "text"), DatasetError))
    assert said.startswith("disk full: ")
    assert "/shop/data/08_reporting/report.html" in said
    assert "every file and item finished before is kept" in said
    assert "\n" not in said


def nested(inner, outer):
    try:
        try:
            raise inner
        except type(inner):
            raise outer  # noqa: B904 - what was raised on the way, as MLflow does while a run is closed
    except type(outer) as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/shop/a.bin"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "/shop/a.bin"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        nested(OSError(errno.ENOSPC, "No space left on device", "/shop/a.bin"), KeyError("run")),
    ],
)
def test_full_disk_is_recognised_whoever_says_it(error):
    assert one_line(error).startswith("disk full: ")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EIO])
def test_place_that_may_not_be_written_to_is_named(code):
    assert one_line(OSError(code, "No.", "/shop/data")).startswith("/shop/data: No.; see to it that this user may")


def test_mistake_is_told_also_through_the_catalog():
    inner = WeldError("folder: empty")
    outer = DatasetError("Failed while loading data")
    outer.__cause__ = inner
    assert (one_line(inner), one_line(outer)) == ("folder: empty", "folder: empty")


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), FileNotFoundError(errno.ENOENT, "No such file", "a"), nested(WeldError("mistake"), KeyError("x"))],
)
def test_defect_keeps_its_traceback(error):
    assert one_line(error) is None
