"""Pages of MLflow that open on model training; `mlflow ui --app-name weld` serves them.

MLflow 3 shows every experiment either as one of GenAI or as one of model training. The experiment's tag
`mlflow.experimentKind` decides only where the pages have no switch between the two. Those of 3.17 have one: what a
browser chose last decides, unless the address says `?workflowType=machine_learning`, and a browser that never chose
is shown GenAI. So the page makes the first choice; a later one by hand is left alone.
"""

from fastapi import FastAPI
from flask import Response, request
from mlflow.server import app as pages
from mlflow.server.fastapi_app import app as server

# The switch keeps its choice in the browser under this name, as JSON.
_FIRST_CHOICE = (
    b"<head><script>const kept='mlflow.workflowType_v1';"
    b"if(!localStorage.getItem(kept))localStorage.setItem(kept,'\"machine_learning\"')</script>"
)


def create_app() -> FastAPI:
    """Return MLflow's own server with that choice in its page."""
    pages.after_request(open_on_model_training)
    return server


def open_on_model_training(response: Response) -> Response:
    """Return MLflow's page with the choice in it, and every other response as it is."""
    if request.path == "/" and response.mimetype == "text/html":
        response.direct_passthrough = False
        response.set_data(response.get_data().replace(b"<head>", _FIRST_CHOICE, 1))
        for name in ("ETag", "Last-Modified"):  # they name the page without the choice, which a browser may have kept
            response.headers.pop(name, None)
    return response
