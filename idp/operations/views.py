"""Health and numbers, for whoever watches over the provider."""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, faults, settings
from idp.database import db
from idp.faults import Fault
from idp.oidc import keys
from idp.operations import drain
from idp.operations.figures import Figures
from idp.operations.readiness import Probe
from idp.web import direct, metrics
from idp.web.context import is_within
from idp.web.direct import Answer, Message

blueprint = Blueprint("operations", __name__)


def healthz(_message: Message) -> Answer:
    """Answer as long as the process lives; it asks nobody."""
    return Answer(200, b'{"status":"ok"}\n', (("Content-Type", "application/json"),))


direct.route(blueprint, "/healthz", healthz, ["GET"], is_ready=True)


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Answer 200 while people can log in here, else 503 and a word for the cause: send nobody here for now.

    A process that is about to stop answers 503, too.
    """
    if drain.begun.is_set():
        return {"status": "stopping"}, 503
    probe: Probe = current_app.extensions.setdefault("idp_readiness", Probe(db.engine))
    fault = probe.fault() or _fault_of_keys()
    return ({"status": "ready"}, 200) if fault is None else ({"status": "unavailable", "cause": fault.value}, 503)


def _fault_of_keys() -> Fault | None:
    try:
        return None if keys.ring(clock.now()).is_complete else Fault.KEYS
    except SQLAlchemyError as error:
        return faults.find(error) or Fault.UNREACHABLE


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Show the counters to the networks that may see them; to everybody else there is no such page."""
    configured = settings.current()
    if not is_within(request, configured.server.metrics_networks):
        abort(404)
    life = timedelta(days=configured.keys.rotate_days)
    figures: Figures = current_app.extensions.setdefault("idp_figures", Figures(db.engine, life))
    return Response(metrics.exposition(figures.read()), content_type=metrics.CONTENT_TYPE)
