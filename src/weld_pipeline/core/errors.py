"""The one error a user is meant to read."""


class WeldError(ValueError):
    """A mistake a user can mend: the message names the thing, the value and the next step.

    Doors (`weld`, `kedro run`) print the message alone; anything else that is raised is a defect of ours
    and keeps its traceback.
    """
