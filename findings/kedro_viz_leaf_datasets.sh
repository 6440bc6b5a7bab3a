#!/usr/bin/env bash
# Kedro-Viz draws every dataset that no node reads outside all collapsed boxes, however deep the namespace of its node.
#
# Expected: a pipeline whose nodes all lie in the namespace "family" (some in "family.member.report") opens as one box and
# its free input. Seen with kedro 1.7.0 and kedro-viz 12.5.0: each of the three plots made in the innermost namespace is
# drawn beside the box, at the outermost level; a dataset that is read inside is not. A node in the box that reads the plots
# makes them vanish from the first view. So nesting namespaces does not tidy a graph whose results nobody reads.
# Fails if the first view is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "kedro==1.7.0" "kedro-viz==12.5.0"
project=$folder/project
mkdir -p "$project/src/leaves" "$project/conf/base" "$project/conf/local"
echo "consent: false" > "$project/.telemetry"
cat > "$project/pyproject.toml" <<'TOML'
[tool.kedro]
package_name = "leaves"
project_name = "leaves"
kedro_init_version = "1.7.0"
source_dir = "src"
TOML
touch "$project/src/leaves/__init__.py" "$project/src/leaves/settings.py"
printf "raw:\n  type: MemoryDataset\n" > "$project/conf/base/catalog.yml"
cat > "$project/src/leaves/pipeline_registry.py" <<'PY'
from kedro.pipeline import Node, Pipeline


def train(raw):
    return raw


def plot(model):
    return model


def join(a, b, c):
    return a, b, c


def boxed(nodes, *names):
    pipeline = Pipeline(nodes)
    for name in reversed(names):
        pipeline = Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
    return pipeline


def register_pipelines():
    train_it = boxed([Node(train, "raw", "model", name="train")], "family", "member")
    plots = [Node(plot, "model", f"plot_{name}", name=f"plot_{name}") for name in "abc"]
    open_ends = train_it + boxed(plots, "family", "member", "report")
    page = boxed([Node(join, ["plot_a", "plot_b", "plot_c"], "page", name="join")], "family", "member")
    return {"__default__": open_ends, "with_a_page": open_ends + page}
PY
(cd "$project" && "$folder/venv/bin/kedro" viz build > "$folder/log" 2>&1) || { cat "$folder/log"; exit 1; }
"$folder/venv/bin/python" - "$project/build/api/pipelines" <<'PY'
import json, sys
from pathlib import Path


def first_view(name):
    graph = json.loads((Path(sys.argv[1]) / name).read_text())
    names = {node["id"]: node["name"] for node in graph["nodes"]}
    return sorted(names[child["id"]] for child in graph["modular_pipelines"]["__root__"]["children"])


open_ends, with_a_page = first_view("__default__"), first_view("with_a_page")
print("kedro 1.7.0, kedro-viz 12.5.0")
print("first view, plots that nobody reads:", open_ends)
print("first view, plots that a node reads:", with_a_page)
assert open_ends == ["family", "plot_a", "plot_b", "plot_c", "raw"], open_ends
assert with_a_page == ["family", "page", "raw"], with_a_page
PY
