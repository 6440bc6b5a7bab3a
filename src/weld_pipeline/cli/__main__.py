"""`python -m weld_pipeline.cli`."""

from weld_pipeline.cli.weld import app

if __name__ == "__main__":
    app()
