"""The application, put together: one line per feature."""

import secrets

from flask import Flask

from idp import database, web
from idp.admin.views import blueprint as admin
from idp.captcha.plain_views import blueprint as robot_plain
from idp.captcha.views import blueprint as robot
from idp.login.password_words import blueprint as password_words
from idp.login.views import blueprint as login
from idp.mail.views import blueprint as mail
from idp.oidc.endpoints import blueprint as protocol
from idp.oidc.views import blueprint as oidc
from idp.operations.views import blueprint as operations
from idp.portal import help_text
from idp.portal.views import blueprint as portal
from idp.profile.views import blueprint as profile
from idp.recovery.forgotten_views import blueprint as forgotten
from idp.recovery.reset_views import blueprint as reset
from idp.recovery.robot_code_views import blueprint as robot_code
from idp.recovery.views import blueprint as security_email
from idp.settings import PACKAGE, Settings
from idp.support.desk_guessing import blueprint as desk_guessing
from idp.support.desk_people import blueprint as desk_people
from idp.support.desk_views import blueprint as desk
from idp.support.views import blueprint as support

_LARGEST_BODY = 64 * 1024


def create_app(settings: Settings) -> Flask:
    """Return the provider as a WSGI application. Raises SettingsError when the files that Help is made of are wrong."""
    app = Flask("idp", root_path=str(PACKAGE), static_folder="static", template_folder=_templates())
    app.config.update(
        IDP=settings,
        SECRET_KEY=secrets.token_bytes(),  # Flask's own cookie session is not used: nothing may survive by it
        MAX_CONTENT_LENGTH=_LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=_LARGEST_BODY,
        MAX_FORM_PARTS=100,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.url_map.merge_slashes = False  # each page has one address, and no redirect to it tells that it is there
    database.init_app(app, settings)
    web.init_app(app, settings)
    for_families = (
        login,
        robot,
        robot_plain,
        password_words,
        security_email,
        forgotten,
        reset,
        robot_code,
        portal,
        profile,
        support,
    )
    for feature in (operations, protocol, oidc, *for_families, desk, desk_people, desk_guessing, admin, mail):
        app.register_blueprint(feature)
    web.protect_forms(app)
    help_text.check(app, settings)
    return app


def _templates() -> str:
    """A checkout keeps templates/ beside the package, an installed package inside."""
    inside = PACKAGE / "templates"
    return str(inside if inside.exists() else PACKAGE.parent / "templates")
