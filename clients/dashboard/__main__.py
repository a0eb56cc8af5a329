"""`python -m clients.dashboard`: serves the parent dashboard of the school that SCHOOL names."""

from clients.dashboard.app import load_settings
from clients.shared.server import serve

if __name__ == "__main__":
    serve("clients.dashboard.app:create_app", load_settings)
