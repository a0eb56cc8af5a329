"""The list of common words for the meter under a new password: public, loaded once, and only when one is typed."""

from typing import Any

from flask import Blueprint, Response, request

from idp.accounts import common_words

blueprint = Blueprint("password_words", __name__)


@blueprint.app_context_processor
def _shared() -> dict[str, Any]:
    return {"password_words_version": common_words.version}


@blueprint.get("/password-words")
def words() -> Response:
    """Return the words, line by line those of 1 bit, of 2 bits and so on; compressed for whoever reads that."""
    response = Response(mimetype="text/plain")
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        response.set_data(common_words.compressed())
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(common_words.as_text())
    versioned = request.args.get("v") == common_words.version()
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
    return response
