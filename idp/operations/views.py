"""Health and numbers, for whoever watches over the provider."""

from flask import Blueprint, Response, abort, current_app, request

from idp import settings
from idp.database import db
from idp.operations import drain
from idp.operations.readiness import Probe
from idp.web import metrics
from idp.web.context import is_within

blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer as long as the process lives; it asks nobody."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Answer 200 while the database answers and has a fitting shape, else 503: send nobody here for now.

    A process that is about to stop answers 503, too.
    """
    if drain.begun.is_set():
        return {"status": "stopping"}, 503
    probe: Probe = current_app.extensions.setdefault("idp_readiness", Probe(db.engine))
    return ({"status": "ready"}, 200) if probe.is_ready() else ({"status": "unavailable"}, 503)


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Show the counters to the networks that may see them; to everybody else there is no such page."""
    if not is_within(request, settings.current().server.metrics_networks):
        abort(404)
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
