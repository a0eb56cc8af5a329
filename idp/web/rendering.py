"""What every template knows."""

from typing import Any

from flask import Flask
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5

from idp.settings import Settings
from idp.web import csrf, files, language
from idp.web.words import FOLDER, Catalogues


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare Jinja, the translations and Bootstrap's files, which an installed package ships."""
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(FOLDER),
        BABEL_DEFAULT_TIMEZONE=settings.district.time_zone,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_options = {"autoescape": _is_html, "trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=language.choose).domain_instance = Catalogues()
    app.jinja_env.globals["asset"] = files.asset  # for macros, too, which know what every template knows only by it
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as config/babel.cfg extracts
    Bootstrap5(app)
    files.init_app(app)

    @app.context_processor
    def shared() -> dict[str, Any]:
        locale = get_locale()
        return {
            "csrf_field": csrf.field,
            "direction": locale.text_direction,
            "district": settings.district,
            "language_choices": language.choices,
            "language": str(locale).replace("_", "-"),
            "locale": str(locale),
        }


def _is_html(template: str | None) -> bool:
    """Escape everywhere but in the plain part of a mail, where nothing is read as HTML."""
    return template is None or not template.endswith(".txt")
