from . import command_run as command_run
from . import database as database
from . import experiment as experiment
from . import inputs as inputs
from . import local_artifacts as local_artifacts
from . import pages as pages
from . import plugin as plugin
