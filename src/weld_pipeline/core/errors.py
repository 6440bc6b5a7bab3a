"""Error that a user is meant to read; there is one."""


class WeldError(ValueError):
    """A mistake a user can mend: the message names the thing, the value and the next step.

    Doors (`weld`, `kedro run`) print the message alone. Any other exception is a defect of this program and keeps its
    traceback.
    """
