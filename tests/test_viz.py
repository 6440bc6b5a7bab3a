"""Lineage: what Kedro-Viz draws when it opens, counted in the site that `kedro viz build` makes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from weld_pipeline.pipelines.families import FAMILIES

LAYERS = [
    "raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting", "delivery",
]  # fmt: skip
# What each pipeline of one family opens on besides `ingestion`: a member stands inside its family.
FAMILY_OF = {name: family.name for family in FAMILIES for name in (family.name, *family.members)}
NAMES = {family.name for family in FAMILIES}
MAX_BOXES = 30
# Seen in a browser of 1440 x 900 with the sidebar open: 16 boxes are drawn at 60 %, 19 at 44 %.
MAX_FAMILY_BOXES = 16


def first_view(graph):
    """Return the boxes that Kedro-Viz draws before anything is opened, by id.

    They are the children of the root in the tree of namespaces: top-level namespaces, each as one collapsed box, the
    nodes without a namespace, and the datasets that a namespace takes from outside or that no node of it reads.
    Parameters are children of the root too, but hidden until they are asked for.
    """
    nodes = {node["id"]: node for node in graph["nodes"]}
    children = {child["id"] for child in graph["modular_pipelines"]["__root__"]["children"]}
    return {name: nodes[name] for name in children if nodes[name]["type"] != "parameters"}


def collapsed(view):
    return {name for name, box in view.items() if box["type"] == "modularPipeline"}


@pytest.fixture(scope="module")
def site(project_root, tmp_path_factory):
    """The built site, of a copy of the project without data."""
    project = tmp_path_factory.mktemp("lineage")
    for name in ("conf", "src"):
        shutil.copytree(project_root / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(project_root / name, project / name)
    kedro = Path(sys.executable).parent / "kedro"
    done = subprocess.run([str(kedro), "viz", "build"], cwd=project, capture_output=True, text=True, check=False)
    # The command ends with 0 when it fails, so that what it built is the proof.
    assert (project / "build/api/main").is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    return project / "build/api/pipelines"


@pytest.fixture(scope="module")
def graph(site):
    return lambda pipeline: json.loads((site / pipeline).read_text())


def test_parameters_and_what_a_namespace_keeps_to_itself_are_not_drawn_at_first():
    kinds = {"raw": "data", "kept": "data", "params:p": "parameters", "train": "task", "family": "modularPipeline"}
    children = {"__root__": ["raw", "params:p", "family"], "family": ["train", "kept"]}
    graph = {
        "nodes": [{"id": name, "type": kind} for name, kind in kinds.items()],
        "modular_pipelines": {
            name: {"children": [{"id": child, "type": kinds[child]} for child in inside]}
            for name, inside in children.items()
        },
    }
    assert set(first_view(graph)) == {"raw", "family"}


def test_default_opens_on_one_box_a_family_and_fits_one_screen(graph):
    view = first_view(graph("__default__"))
    assert collapsed(view) == {"ingestion"} | NAMES
    assert [box["name"] for box in view.values() if box["type"] == "task"] == []
    assert len(view) <= MAX_BOXES, sorted(box["name"] for box in view.values())


def test_default_reads_from_raw_to_delivery(graph):
    whole = graph("__default__")
    drawn = {box["layer"] for box in first_view(whole).values() if box["type"] == "data"}
    assert whole["layers"] == LAYERS
    assert drawn == {"raw", "intermediate", "primary", "reporting", "delivery"}


def test_what_is_drawn_for_people_hangs_below_its_family(graph):
    whole = graph("__default__")
    view = first_view(whole)
    edges = [
        (edge["source"], edge["target"]) for edge in whole["edges"] if {edge["source"], edge["target"]} <= set(view)
    ]
    pages = {name: box["name"] for name, box in view.items() if box["name"].endswith(".overview")}
    above = sorted((pages[target], source) for source, target in edges if target in pages)
    assert above == sorted((f"{box}.overview", box) for box in {"ingestion"} | NAMES)
    assert {source for source, _ in edges} & set(pages) == set()
    # Nothing else is drawn that nobody reads.
    assert {name for name in view if name not in {source for source, _ in edges}} == set(pages)


@pytest.mark.parametrize(("pipeline", "family"), FAMILY_OF.items())
def test_pipeline_of_one_family_opens_without_panning(graph, pipeline, family):
    view = first_view(graph(pipeline))
    assert collapsed(view) == {"ingestion", family}
    assert [box["name"] for box in view.values() if box["type"] == "task"] == []
    assert len(view) <= MAX_FAMILY_BOXES, sorted(box["name"] for box in view.values())
