"""The application for any WSGI server."""

from idp import settings
from idp.app import create_app

app = create_app(settings.load())
