"""The contract of families, on the outcome of one real run: a family is tested by being listed in `pipelines.families`."""

import copy
import io
import json
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from rich.console import Console

from tests.runs import copy_layers, copy_with_raw_files, kedro_run
from weld_pipeline import runtime
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.deploy.parity.families import comparison_of
from weld_pipeline.deploy.parity.gate import check_parity
from weld_pipeline.deploy.samples import chosen_files
from weld_pipeline.engines.open import ENGINES
from weld_pipeline.evaluation.summary import from_record
from weld_pipeline.pipelines.export.params import ParityParams
from weld_pipeline.pipelines.families import FAMILIES
from weld_pipeline.runtime.bundle import load_bundle
from weld_pipeline.runtime.open import Inspector
from weld_pipeline.runtime.verdicts import Inspected, NotInspected

MEMBERS = {member: family for family in FAMILIES for member in family.members}
# Of each family one, for what takes seconds a member.
FIRST = [family.members[0] for family in FAMILIES]
CORE = {"path", "sha256", "verdict", "predicted", "score", "p_defect", "timing"}


@pytest.fixture(scope="module")
def catalog(finished):
    """The catalog of the finished project, outside a run."""
    loader = OmegaConfigLoader(
        str(finished / "conf"), base_env="base", default_run_env="test", merge_strategy={"parameters": "soft"}
    )
    loader["globals"] = {**loader["globals"], "data": str(finished / "data")}
    made = DataCatalog.from_config(loader["catalog"])
    return SimpleNamespace(load=made.load, parameters=loader["parameters"])


@pytest.fixture(scope="module")
def bundle(finished):
    return lambda member: load_bundle(finished / f"data/09_delivery/{member}/bundle")


@pytest.fixture(scope="module")
def predictions(catalog):
    return lambda member: catalog.load(f"{member}.predictions")


@pytest.fixture(scope="module")
def samples(catalog):
    """Return some files that a member did not learn from, by sample id."""

    def of(member, n_samples):
        source = MEMBERS[member].source_of(member)
        manifest, raw = (catalog.load(f"{source}.{name}") for name in ("manifest", "raw"))
        return chosen_files(manifest, raw.root, splits=("test",), n_samples=n_samples)

    return of


@pytest.fixture(scope="module")
def assembled(catalog):
    """Return the module that a member's parts make, read from their files."""

    def read(member):
        bundling = MEMBERS[member].bundling
        settings = {name: catalog.parameters["export"][name] for name in bundling.settings}
        return bundling.assemble(**{name: catalog.load(f"{member}.{name}") for name in bundling.parts}, **settings)

    return read


@pytest.fixture(scope="module")
def trained_again(project_root, finished, tmp_path_factory):
    """The project in which the first of each family was trained and calibrated a second time, from the same features."""
    project = copy_with_raw_files(project_root, finished, tmp_path_factory.mktemp("again") / "project")
    copy_layers(finished, project, "02_intermediate", "03_primary", "04_feature", "05_model_input")
    kedro_run(project, "--pipelines=feature_extraction,training,calibration", f"--tags={','.join(FIRST)}")
    return project


@pytest.mark.parametrize("member", MEMBERS)
def test_predictions_keep_the_common_schema_and_name_known_samples_once(catalog, predictions, bundle, member):
    table = checked(predictions(member), PREDICTIONS)
    manifest = catalog.load(f"{MEMBERS[member].source_of(member)}.manifest").set_index("sample_id")
    rows = manifest.loc[table["sample_id"]]
    assert table["sample_id"].is_unique
    assert (rows["status"] == "ok").all()
    for column in ("session", "split", "is_defect"):
        assert table[column].tolist() == rows[column].tolist(), column
    description = bundle(member).description
    assert set(table["predicted"]) <= set(description.classes)
    assert (table["is_defect"] == (table["label"] != description.good_class)).all()
    named = {f"p_{name}" for name in description.classes} & set(table)
    assert named in (set(), {f"p_{name}" for name in description.classes})
    if named:
        assert table[sorted(named)].sum(axis=1).round(5).eq(1).all()


@pytest.mark.parametrize("member", MEMBERS)
def test_one_decision_stands_in_catalog_bundle_table_and_report(catalog, predictions, bundle, member):
    decision, table = catalog.load(f"{member}.decision"), predictions(member)
    assert bundle(member).description.decision == decision
    p_defect = decision.p_defect(table["score"].to_numpy(float))
    if p_defect is None:
        assert "p_defect" not in table
    else:
        assert table["p_defect"].to_numpy(float) == pytest.approx(p_defect)
    evaluation = from_record(catalog.load(f"{member}.evaluation"))
    judged = table[table["split"] == catalog.parameters["evaluation"]["split"]]
    fails = decision.fails(score=judged["score"].to_numpy(float), predicted=judged["predicted"].tolist())
    assert evaluation.shipped.rule == decision.policy.describe()
    assert evaluation.shipped.pass_fail["caught"] == int((fails & judged["is_defect"]).sum())
    assert evaluation.shipped.pass_fail["rejected"] == int((fails & ~judged["is_defect"]).sum())


@pytest.mark.parametrize("member", FIRST)
def test_same_seed_gives_the_same_predictions(finished, trained_again, member):
    again = trained_again / f"data/07_model_output/{member}/predictions.parquet"
    pd.testing.assert_frame_equal(
        pd.read_parquet(again),
        pd.read_parquet(finished / f"data/07_model_output/{member}/predictions.parquet"),
        check_exact=True,
    )


@pytest.mark.parametrize("member", FIRST)
def test_parts_read_from_their_files_give_the_graph_that_was_released(catalog, assembled, bundle, member):
    family = MEMBERS[member]
    bundling, source = family.bundling, family.source_of(member)
    learned = {name: catalog.load(f"{member}.{name}") for name in bundling.learned}
    params = {argument: catalog.parameters[source][name] for argument, name in bundling.parameters}
    graph = bundling.export_graph(assembled(member), **learned, **params)
    released = bundle(member)
    assert graph.onnx == (released.folder / "model.onnx").read_bytes()
    assert (list(graph.classes), graph.good_class) == (released.description.classes, released.description.good_class)


@pytest.fixture(scope="module")
def gate(catalog, bundle, predictions, samples):
    """Return what the gate says of a member's bundle beside a module, with the tolerances of the family."""

    def check(member, module, *, n_samples, engines):
        params = ParityParams(**catalog.parameters["export"][MEMBERS[member].bundling.parity])
        return check_parity(
            comparison_of(bundle(member), module, n_parts=params.n_parts),
            samples(member, n_samples),
            {row["sample_id"]: row for row in predictions(member).to_dict("records")},
            engines=engines,
            tolerances=params.tolerances,
        )

    return check


@pytest.mark.parametrize("member", MEMBERS)
def test_graph_says_what_torch_says_from_the_bytes_of_files_on_every_engine(gate, assembled, bundle, member):
    report = gate(member, assembled(member), n_samples=3, engines=tuple(ENGINES))
    assert report["n_samples"] == 3
    assert set(report["engines"]) == set(ENGINES) == set(bundle(member).description.parity["engines"])
    for found in report["engines"].values():
        assert found["n_compared"] >= 3


@pytest.mark.parametrize("member", FIRST)
def test_gate_refuses_a_network_that_says_something_else(gate, assembled, member):
    other = copy.deepcopy(assembled(member))
    with torch.no_grad():
        for tensor in (*other.parameters(), *other.buffers()):
            if tensor.is_floating_point():
                tensor.mul_(1.05)
    with pytest.raises(WeldError, match="nothing was released"):
        gate(member, other, n_samples=1, engines=("onnxruntime",))


@pytest.mark.parametrize("member", MEMBERS)
def test_door_gives_a_verdict_with_the_shared_core(bundle, predictions, samples, member):
    opened = bundle(member)
    inspector = runtime.open_inspector(opened.folder, n_threads=1)
    assert isinstance(inspector, Inspector)
    rows = predictions(member).set_index("sample_id")
    for sample_id, path in samples(member, 2).items():
        verdict = inspector.inspect(path)
        assert isinstance(verdict, Inspected)
        assert (verdict.path, verdict.sha256) == (str(path), sha256_file(path))
        assert verdict.predicted in opened.description.classes
        assert verdict.score == pytest.approx(rows.loc[sample_id, "score"], rel=0.02, abs=0.02)
        decision = opened.description.decision
        assert (verdict.verdict, verdict.p_defect) == decision.decide(score=verdict.score, predicted=verdict.predicted)
        assert verdict.n_parts >= 1
        assert 0 < verdict.timing.network_s < verdict.timing.total_s
        record = verdict.to_json()
        assert record.keys() >= CORE
        assert json.loads(json.dumps(record, allow_nan=False)) == json.loads(json.dumps(verdict.compact().to_json()))


@pytest.mark.parametrize("member", MEMBERS)
def test_door_takes_many_and_a_broken_one_loses_no_other(bundle, samples, tmp_path, member):
    inspector = runtime.open_inspector(bundle(member), n_threads=1)
    first, second = samples(member, 2).values()
    broken = tmp_path / f"broken{first.suffix}"
    broken.write_bytes(b"no recording and no image")
    verdicts = list(inspector.inspect_each([first, broken, second]))
    assert [each.path for each in verdicts] == [str(path) for path in (first, broken, second)]
    assert [type(each) is NotInspected for each in verdicts] == [False, True, False]
    assert verdicts[1].verdict == "not_inspected"
    for path, each in ((first, verdicts[0]), (second, verdicts[2])):
        alone = inspector.inspect(path)
        assert (each.verdict, each.predicted) == (alone.verdict, alone.predicted)
        assert each.score == pytest.approx(alone.score, rel=1e-5, abs=1e-5)
    shown = io.StringIO()
    Console(file=shown, width=400).print(inspector.table(verdicts))
    for word in (verdicts[0].verdict.upper(), "NOT INSPECTED", broken.name):
        assert word in shown.getvalue()


@pytest.mark.parametrize("member", MEMBERS)
def test_door_finds_what_a_folder_holds_and_keeps_verdicts(bundle, samples, tmp_path, member):
    opened = bundle(member)
    inspector = runtime.open_inspector(opened, n_threads=1)
    (path,) = samples(member, 1).values()
    assert path in inspector.find([path.parent])
    verdict = inspector.inspect(path)
    kept = json.loads(inspector.store(tmp_path / "kept", verdict).read_text())
    assert (kept["name"], kept["bundle"]) == (path.name, opened.identity())
    told = verdict.to_json()
    assert {name: kept[name] for name in CORE - {"timing"}} == {name: told[name] for name in CORE - {"timing"}}


@pytest.mark.parametrize("member", FIRST)
def test_option_that_a_family_does_not_take_is_refused(bundle, member):
    opened = bundle(member)
    with pytest.raises(WeldError, match=r"option zoom: bundle .* does not take it"):
        runtime.open_inspector(opened, zoom=2)
