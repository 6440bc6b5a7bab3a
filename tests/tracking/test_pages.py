"""Pages of MLflow: the one page carries the choice of model training, nothing else is touched."""

import pytest
from flask import Flask
from mlflow.server import app as mlflow_app

from weld_pipeline.tracking.pages import create_app, open_on_model_training

CHOICE = b"localStorage.setItem(kept,'\"machine_learning\"')"


@pytest.fixture
def server():
    app = Flask(__name__)
    app.add_url_rule("/", "page", lambda: ("<html><head><title>MLflow</title></head></html>", {"ETag": '"1"'}))
    app.add_url_rule("/api", "api", lambda: ("<head>", {"ETag": '"2"'}))
    app.after_request(open_on_model_training)
    return app.test_client()


def test_page_carries_the_choice_before_anything_else_and_is_not_taken_from_a_cache(server):
    page = server.get("/")
    assert page.data.startswith(b"<html><head><script>")
    assert CHOICE in page.data
    assert b"<title>MLflow</title>" in page.data
    assert "ETag" not in page.headers


def test_everything_else_is_left_as_it_is(server):
    answer = server.get("/api")
    assert (answer.data, answer.headers["ETag"]) == (b"<head>", '"2"')


def test_page_of_the_installed_mlflow_takes_the_choice(monkeypatch):
    monkeypatch.setattr(mlflow_app, "after_request_funcs", {})
    monkeypatch.setattr(mlflow_app, "_got_first_request", False)
    create_app()
    page = mlflow_app.test_client().get("/").data
    assert page.count(CHOICE) == 1


def test_switch_of_the_installed_mlflow_still_keeps_its_choice_under_that_name():
    """The name is the pages' own: where a release changes it, the review opens on GenAI again, and this test fails."""
    from pathlib import Path

    scripts = Path(mlflow_app.static_folder, "static/js").glob("main.*.js")
    text = "".join(path.read_text(encoding="utf-8") for path in scripts)
    assert 'key:"mlflow.workflowType",version:1' in text
    assert 'MACHINE_LEARNING="machine_learning"' in text
    assert "`${e}_v${t}`" in text
