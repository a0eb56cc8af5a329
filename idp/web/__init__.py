"""What all pages share: headers, cookies, errors, safe redirects, rendering, the guarded outbound client."""

from flask import Flask

from idp.settings import Settings
from idp.web import csrf, errors, headers, logs, rendering
from idp.web.direct import DirectFirst
from idp.web.own_address import OwnAddress


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare the application for pages."""
    wrapped = OwnAddress(DirectFirst(app, app.wsgi_app), settings.server.issuer)
    app.wsgi_app = wrapped  # type: ignore[method-assign]  # as Flask's documentation has middleware put in
    logs.init_app(app, settings)
    rendering.init_app(app, settings)
    errors.init_app(app)
    headers.init_app(app)


def protect_forms(app: Flask) -> None:
    """Check every form's token. Called last: a feature's own gate answers a stranger before any form is judged."""
    app.before_request(csrf.protect)
