"""The gradebook: what a guardian sees, and nothing that is another family's."""

import os
from collections import Counter
from datetime import timedelta
from urllib.parse import quote

from flask import Flask, abort, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug import Response

from clients.gradebook import guardians, pictures, records
from clients.gradebook.guardians import Guardians
from clients.shared import clock, settings
from clients.shared.auth import auth
from clients.shared.look import Look, serve_look
from clients.shared.settings import Settings
from clients.shared.web import current_session, equip

KEY = "gradebook"
LOOK = Look(colour="#0f5c5c", colour_on_dark="#7fd1cb", letter="G")


def create_app(configuration: Settings | None = None) -> Flask:
    """Make the gradebook, from the environment unless it is told otherwise."""
    configuration = configuration or settings.load(os.environ)
    app = Flask(__name__)
    party = equip(app, configuration, key=KEY, name=lambda: _("Gradebook"), schema=guardians.SCHEMA)
    known = records.load()
    family = Guardians(party.store, configuration.issuer, known.guardians)
    party.after_log_in = family.bind
    app.register_blueprint(auth)
    serve_look(app, LOOK, known.looks)
    app.jinja_env.globals.update(draw=pictures.draw, letter=records.letter, timedelta=timedelta, count_days=_count_days)

    @app.get("/")
    def home() -> str:
        session = current_session()
        if session is None:
            return render_template("welcome.html")
        children = [known.children[child] for child in family.children_of(session.subject)]
        return render_template("children.html", children=children, offices=known.offices, today=clock.today())

    @app.get("/children/<child_id>")
    def child(child_id: str) -> str | Response:
        session = current_session()
        if session is None:
            target = configuration.base_url + request.path
            return redirect(f"/login?target_link_uri={quote(target, safe='')}", 303)
        if child_id not in family.children_of(session.subject):
            abort(404)  # the same for another family's child as for one who does not exist
        return render_template("child.html", child=known.children[child_id], today=clock.today())

    return app


def _count_days(days: tuple[records.Day, ...]) -> Counter[str]:
    return Counter(day.kind for day in days)
