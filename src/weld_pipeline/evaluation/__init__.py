"""Evaluation: what predictions are worth, with intervals over sessions and beside what could be guessed."""
