"""What every template knows, and the language a page is written in."""

from typing import Any

from flask import Flask, request
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5

from idp import settings as settings_module
from idp.settings import PACKAGE, Settings
from idp.web import csrf, files


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare Jinja, the translations and Bootstrap's files, which an installed package ships."""
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(PACKAGE / "translations"),
        BABEL_DEFAULT_TIMEZONE=settings.district.time_zone,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_options = {"autoescape": _is_html, "trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=_locale)
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as config/babel.cfg extracts
    Bootstrap5(app)
    files.init_app(app)

    @app.context_processor
    def shared() -> dict[str, Any]:
        locale = get_locale()
        return {
            "asset": files.asset,
            "csrf_field": csrf.field,
            "direction": locale.text_direction,
            "district": settings.district,
            "language": str(locale).replace("_", "-"),
            "locale": str(locale),
        }


def _is_html(template: str | None) -> bool:
    """Escape everywhere but in the plain part of a mail, where nothing is read as HTML."""
    return template is None or not template.endswith(".txt")


def _locale() -> str:
    languages = settings_module.current().district.languages
    return request.accept_languages.best_match(languages) or languages[0] if request else languages[0]
