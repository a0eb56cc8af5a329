"""Authorization responses: one place that adds code or error, state and issuer to an application's address."""

from urllib.parse import quote_plus, urlsplit

from idp import settings
from idp.web import metrics


def with_parameters(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    """Return the registered address with parameters added to its query, the rest of it untouched."""
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items() if value is not None)
    if not query:
        return redirect_uri
    joint = "&" if urlsplit(redirect_uri).query else "" if redirect_uri.endswith("?") else "?"
    return f"{redirect_uri}{joint}{query}"


def code(redirect_uri: str, value: str, state: str | None) -> str:
    """Return where a code goes, with the issuer beside it against mix-up (RFC 6749 4.1.2, RFC 9207 section 2)."""
    return with_parameters(redirect_uri, {"code": value, "state": state, "iss": _issuer()})


def error(redirect_uri: str, name: str, description: str, state: str | None) -> str:
    """Return where an error goes; its description is a fixed text (RFC 6749 4.1.2.1, RFC 9207 section 2)."""
    metrics.count_refusal("authorization", name)
    return with_parameters(
        redirect_uri, {"error": name, "error_description": description, "state": state, "iss": _issuer()}
    )


def form_target(address: str) -> str:
    """Return what a Content-Security-Policy calls the place of an address: its origin, or a native app's scheme."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def _issuer() -> str:
    return settings.current().server.issuer
