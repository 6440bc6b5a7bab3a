"""An evaluation as one HTML page that needs nothing but a browser."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from weld_pipeline.evaluation.baselines import CONFOUNDS
from weld_pipeline.evaluation.evaluation import Evaluation
from weld_pipeline.report.console import as_interval, small_rule
from weld_pipeline.report.figures import as_svg, confound_figure, confusion_figure, reliability_figure

HEADLINES = (
    ("accuracy", "Accuracy", "share of samples whose class is right"),
    ("macro_f1", "Macro-F1", "every class counts alike"),
    ("balanced_accuracy", "Balanced accuracy", "mean recall of the classes"),
    ("defect_recall", "Defect recall", "defective welds not called good"),
    ("good_specificity", "Good-weld specificity", "good welds called good"),
    ("auroc", "AUROC", "score of defective against good welds"),
)


@dataclass(frozen=True)
class Mistake:
    """One wrong prediction, to be looked at.

    Attributes:
        detail: How sure the model was, in words.
        image: PNG or JPEG bytes, or None where there is no image.
    """

    sample_id: str
    label: str
    predicted: str
    detail: str
    image: bytes | None


@dataclass(frozen=True)
class Report:
    """What stands on the page.

    Attributes:
        subject: What was evaluated, in one line.
        banners: What must be said beside every number: leakage, random weights, drawn data.
        figures: Further plots by caption, after those every evaluation has.
        mistakes: The worst ones, worst first.
        provenance: Where the numbers come from, in order.
    """

    title: str
    subject: str
    evaluation: Evaluation
    session_rule: str
    banners: Sequence[str] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def render(report: Report) -> str:
    """Return the page: one HTML document with its styles and images inside."""
    evaluation = report.evaluation
    rates = evaluation.rates
    return template("report.html.j2").render(
        report=report,
        evaluation=evaluation,
        headlines=[(label, hint, rates[name]) for name, label, hint in HEADLINES if name in rates],
        confounds=[(CONFOUNDS[baseline.name], baseline) for baseline in evaluation.baselines],
        verdict=_verdict(evaluation),
        small_rule=small_rule(evaluation),
        confusion=confusion_figure(evaluation),
        confound_plot=confound_figure(evaluation),
        reliability_plot=reliability_figure(evaluation.reliability) if evaluation.reliability else None,
    )


def template(name: str) -> Template:
    """Return a template of this room with the filters of all pages."""
    environment = Environment(
        loader=PackageLoader("weld_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": _points,
        "interval": as_interval,
        "svg": _embedded,
        "image": data_url,
    }
    return environment.get_template(name)


def foreign_report(evaluation: Evaluation, *, file_name: str, session_rule: str | None) -> str:
    """Return the page for a csv of anyone's predictions."""
    protocol = evaluation.protocol
    return render(
        Report(
            title="Evaluation of predictions",
            subject=file_name,
            evaluation=evaluation,
            session_rule=session_rule or "each id is its own, so the intervals take samples for independent",
            provenance={
                "Predictions": file_name,
                "Bootstrap": f"{protocol.n_resamples:,} draws of sessions, seed {protocol.seed}",
            },
        )
    )


def percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal, a dash where it is undefined."""
    return "–" if value is None else f"{100 * value:.1f}"


def _verdict(evaluation: Evaluation) -> str:
    if not evaluation.baselines:
        return "No baseline could be computed, so what the accuracy owes to session, set-up or brightness is unknown."
    strongest = max(evaluation.baselines, key=lambda baseline: baseline.rates["accuracy"].value or 0.0)
    words = "the commonest class" if strongest.name == "majority" else f"a look-up of the {CONFOUNDS[strongest.name]}"
    guess, gap = percent(strongest.rates["accuracy"].value), strongest.margin
    sentence = f"Without looking at a weld, {words} scores {guess} %; the model is {_points(gap.value)} points above it"
    if gap.low is None or gap.high is None or gap.is_small:
        return f"{sentence}. There are too few sessions to say how sure that is."
    interval = f"({100 * evaluation.protocol.level:g} % interval {_points(gap.low)} to {_points(gap.high)})"
    if gap.low > 0:
        return f"{sentence} {interval}."
    return f"{sentence} {interval}: the two cannot be told apart, so the accuracy is no proof that it sees the defect."


def _points(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f}".replace("-", "−")


def _embedded(figure: Figure) -> str:
    # As an image, not inline: ids inside two inline SVGs would get mixed up.
    return "data:image/svg+xml;base64," + base64.b64encode(as_svg(figure).encode()).decode()


def data_url(image: bytes) -> str:
    """Return a PNG or JPEG as the URL of an image that stands in the page itself."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64," + base64.b64encode(image).decode()
