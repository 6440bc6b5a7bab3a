import numpy as np

from tests.synthetic.drawn.drawn_images import accuracy_across_sessions, grey
from weld_pipeline.synthetic.drawn.images.plan import plan_images
from weld_pipeline.synthetic.drawn.images.radiograph import CODES

PATCHES = plan_images("riawelc", n_sessions_per_class=10, n_per_session=2, written_share=0.0, width=96, seed=0)


def test_classes_can_be_told_apart_on_films_never_seen():
    assert accuracy_across_sessions(PATCHES) > 0.45  # one in four by chance


def test_a_defect_is_darker_than_the_film_around_it():
    def depth(label):
        patches = [grey(image).astype(float) for image in PATCHES if image.label == label]
        return np.median([np.median(patch) - np.percentile(patch[::2, ::2], 2) - 2 * patch.std() for patch in patches])

    assert {code: depth(code) > depth("nd") for code in CODES if code != "nd"} == dict.fromkeys(
        ("cr", "lp", "po"), True
    )
