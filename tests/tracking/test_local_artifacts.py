"""Artifacts in a local folder: one copy of the bytes, and only where that is safe."""

from types import SimpleNamespace

import pytest

from weld_pipeline.tracking import local_artifacts


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """A bundle and the copy that MLflow made of it, in a folder of the run's artifacts."""
    for root in ("data/bundle", "mlruns/delivery/bundle"):
        (tmp_path / root / "part").mkdir(parents=True)
        (tmp_path / root / "model.onnx").write_text("graph")
        (tmp_path / root / "part" / "card.md").write_text("card")
    uris = {"local": str(tmp_path / "mlruns"), "far": "s3://bucket/mlruns"}

    class Client:
        def get_run(self, run_id):
            return SimpleNamespace(info=SimpleNamespace(artifact_uri=uris[run_id]))

    monkeypatch.setattr(local_artifacts, "MlflowClient", Client)
    return tmp_path


def are_shared(folder):
    names = ("model.onnx", "part/card.md")
    return [(folder / "data/bundle" / n).samefile(folder / "mlruns/delivery/bundle" / n) for n in names]


def test_every_file_of_a_logged_folder_is_shared(logged):
    local_artifacts.share_bytes("local", logged / "data/bundle", "delivery")
    assert are_shared(logged) == [True, True]
    assert not list(logged.rglob(".*"))


def test_artifacts_on_a_server_are_left_alone(logged):
    local_artifacts.share_bytes("far", logged / "data/bundle", "delivery")
    assert are_shared(logged) == [False, False]


def test_copy_of_another_size_is_left_alone(logged):
    (logged / "mlruns/delivery/bundle/model.onnx").write_text("another graph")
    local_artifacts.share_bytes("local", logged / "data/bundle", "delivery")
    assert are_shared(logged) == [False, True]
    assert (logged / "mlruns/delivery/bundle/model.onnx").read_text() == "another graph"


def test_copy_stays_where_there_are_no_hard_links(logged, monkeypatch):
    def unsupported(*_):
        raise OSError

    monkeypatch.setattr(local_artifacts.os, "link", unsupported)
    local_artifacts.share_bytes("local", logged / "data/bundle", "delivery")
    assert are_shared(logged) == [False, False]
    assert (logged / "mlruns/delivery/bundle/part/card.md").read_text() == "card"
