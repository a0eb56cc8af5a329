"""Health, for whoever watches over the provider."""

from flask import Blueprint

blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer as long as the process lives; it asks nobody."""
    return {"status": "ok"}
