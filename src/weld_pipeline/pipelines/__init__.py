"""When things happen: one folder a stage, wiring and thin nodes only."""
