"""The pages of admin."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
