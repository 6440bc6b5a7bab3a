from . import category_runs as category_runs
from .project import cli as cli
from .weld import app as app
