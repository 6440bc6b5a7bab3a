"""Shapes: checked in tests, the array's type alone elsewhere."""

import subprocess
import sys

import jaxtyping

from weld_pipeline.core import shapes


def test_shapes_are_those_of_jaxtyping_where_they_are_checked():
    assert all(getattr(shapes, name) is getattr(jaxtyping, name) for name in shapes.__all__)


def test_program_that_checks_none_does_not_load_jaxtyping():
    code = (
        "import sys\nfrom weld_pipeline.core import shapes\n"
        "assert all(getattr(shapes, name)[bytes, 'H W'] is bytes for name in shapes.__all__)\n"
        "print('jaxtyping' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
