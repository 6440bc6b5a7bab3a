"""From raw weld footage to a calibrated verdict, in one Kedro graph."""

__version__ = "0.1.0"
