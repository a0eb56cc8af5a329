"""`python -m clients.gradebook`: serves the gradebook."""

import os

from clients.shared import settings
from clients.shared.server import serve

if __name__ == "__main__":
    serve("clients.gradebook.app:create_app", lambda: settings.load(os.environ))
