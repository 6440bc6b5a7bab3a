import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from weld_pipeline.report.timeline import class_colours, timeline_figure
from weld_pipeline.runtime.video.inspector import VideoInspector

CLASSES = [f"class_{index:02d}" for index in range(12)]


def test_good_has_a_colour_of_its_own_and_twelve_classes_differ():
    colours = class_colours(CLASSES, good_class="class_03")
    assert next(iter(colours)) == "class_03"
    assert len({str(colour) for colour in colours.values()}) == 12


@pytest.fixture
def videos(bundle, write_film):
    inspector = VideoInspector(bundle)
    shown = [("lit", True), ("dark", False)]
    return [
        inspector.inspect(write_film(f"{name}.avi", is_lit=lit)).to_json() | {"sample_id": name, "label": "porosity"}
        for name, lit in shown
    ]


def test_figure_has_a_titled_strip_a_video(videos, bundle):
    description = bundle.description
    figure = timeline_figure(videos, classes=description.classes, good_class=description.good_class)
    assert [axes.get_title(loc="left").split("  ")[0] for axes in figure.axes] == ["lit", "dark"]
    assert figure.axes[1].get_title(loc="right") == "NO ARC"
    lit, dark = figure.axes
    assert (len(lit.patches), len(dark.patches)) == (3, 0)  # a coloured span a clip


def test_title_tells_a_probability_only_where_there_is_one(videos, bundle):
    description = bundle.description
    without = [videos[0] | {"p_defect": None}]
    for shown, is_told in ((videos[:1], True), (without, False)):
        figure = timeline_figure(shown, classes=description.classes, good_class=description.good_class)
        title = figure.axes[0].get_title(loc="left")
        assert "said " in title
        assert ("p_defect" in title) == is_told


def test_figure_can_be_drawn_without_videos():
    figure = timeline_figure([], classes=CLASSES, good_class="class_00")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert np.asarray(canvas.buffer_rgba()).size > 0
