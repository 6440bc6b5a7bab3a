from . import command_run as command_run
from . import experiment as experiment
from . import inputs as inputs
from . import pages as pages
