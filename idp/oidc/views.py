"""The pages of oidc."""

from flask import Blueprint

blueprint = Blueprint("oidc", __name__)
