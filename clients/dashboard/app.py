"""The parent dashboard of a school: a public page, and a log-in that the district's other tools share."""

import os

from flask import Flask, render_template
from flask_babel import gettext as _

from clients.dashboard import school
from clients.shared import clock, settings
from clients.shared.auth import auth
from clients.shared.look import serve_look
from clients.shared.settings import Misconfigured, Settings
from clients.shared.web import equip


def load_settings() -> Settings:
    """The settings from the environment, SCHOOL included in what is checked."""
    found = settings.load(os.environ, also=("SCHOOL",))
    if os.environ["SCHOOL"] not in school.names():
        raise Misconfigured(f"SCHOOL must be one of {', '.join(school.names())}, not {os.environ['SCHOOL']!r}")
    return found


def create_app(configuration: Settings | None = None, school_name: str | None = None) -> Flask:
    """Make the dashboard of a school, from the environment unless it is told otherwise."""
    configuration = configuration or load_settings()
    school_name = school_name or os.environ["SCHOOL"]
    shown = school.load(school_name)
    app = Flask(__name__)
    equip(
        app,
        configuration,
        key=school_name.replace("-", "_"),
        name=lambda: _("%(school)s Parent Dashboard", school=shown.name),
    )
    app.register_blueprint(auth)
    serve_look(app, shown.look)

    @app.get("/")
    def home() -> str:
        today = clock.today()
        return render_template(
            "dashboard.html",
            school=shown,
            today=today,
            calendar=shown.calendar(today),
            lunch=shown.lunch(today),
            news=shown.news(today),
        )

    return app
