"""What every template knows, and the language a page is written in."""

import hashlib
from functools import lru_cache
from typing import Any

from flask import Flask, Response, request, url_for
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5

from idp import settings as settings_module
from idp.settings import PACKAGE, Settings
from idp.web import csrf

_FOREVER = "public, max-age=31536000, immutable"


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare Jinja, the translations and Bootstrap's files, which an installed package ships."""
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(PACKAGE / "translations"),
        BABEL_DEFAULT_TIMEZONE=settings.district.time_zone,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=_locale)
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as config/babel.cfg extracts
    Bootstrap5(app)
    app.after_request(_keep_versioned_files)

    @app.context_processor
    def shared() -> dict[str, Any]:
        locale = get_locale()
        return {
            "asset": asset,
            "csrf_field": csrf.field,
            "direction": locale.text_direction,
            "district": settings.district,
            "language": str(locale).replace("_", "-"),
            "locale": str(locale),
        }


def asset(filename: str) -> str:
    """Return the address of a file of ours in static/, with its content's version: a browser loads each once."""
    return url_for("static", filename=filename, v=_version(filename))


@lru_cache(maxsize=64)
def _version(filename: str) -> str:
    return hashlib.sha256((PACKAGE / "static" / filename).read_bytes()).hexdigest()[:10]


def _keep_versioned_files(response: Response) -> Response:
    """Let browsers keep what has its version in its address; a file asked for without one is asked for again."""
    if request.endpoint in {"static", "bootstrap.static"} and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = _FOREVER
    return response


def _locale() -> str:
    languages = settings_module.current().district.languages
    return request.accept_languages.best_match(languages) or languages[0] if request else languages[0]
