#!/usr/bin/env bash
# `kedro viz build` ends with exit code 0 when it could not build anything.
#
# Expected: what keeps the command from building makes it fail, so that CI stops. Seen with kedro 1.7.0 and kedro-viz 12.5.0:
# for a project without a catalog file, whose pipelines `kedro registry list` lists, the command prints an error, ends with 0, and
# leaves no build/api. Whoever publishes the site from CI must look for the file, not at the code.
# Fails if the exit code is another, or if something was built.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "kedro==1.7.0" "kedro-viz==12.5.0"
project=$folder/project
mkdir -p "$project/src/small" "$project/conf/base" "$project/conf/local"
echo "consent: false" > "$project/.telemetry"
cat > "$project/pyproject.toml" <<'TOML'
[tool.kedro]
package_name = "small"
project_name = "small"
kedro_init_version = "1.7.0"
source_dir = "src"
TOML
touch "$project/src/small/__init__.py" "$project/src/small/settings.py"
cat > "$project/src/small/pipeline_registry.py" <<'PY'
from kedro.pipeline import Node, Pipeline


def answer():
    return 42


def register_pipelines():
    return {"__default__": Pipeline([Node(answer, None, "answer", name="answer")])}
PY
run=0
(cd "$project" && "$folder/venv/bin/kedro" registry list > "$folder/run" 2>&1) || run=$?
code=0
(cd "$project" && "$folder/venv/bin/kedro" viz build > "$folder/log" 2>&1) || code=$?
echo "kedro 1.7.0, kedro-viz 12.5.0: exit code of kedro registry list $run, of kedro viz build $code, build/api/main $([ -e "$project/build/api/main" ] && echo there || echo missing)"
tail -n 3 "$folder/log"
[ "$code" = 0 ]
[ ! -e "$project/build/api/main" ]
[ "$run" = 0 ]
