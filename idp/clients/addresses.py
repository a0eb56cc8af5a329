"""What an application's addresses may be, and when a requested redirect URI is a registered one.

Rules are whitelists over the text as it was typed: parsers and browsers disagree about what odd addresses mean, so an
odd one is refused before any of them is asked. What passes can stand in a Location header and in a CSP as it is.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from flask_babel import gettext as _

from idp import settings
from idp.web.addresses import is_on_allow_list

LONGEST = 400
LOOPBACK_HOSTS = {"127.0.0.1", "[::1]", "localhost"}
_LOOPBACK_LITERALS = {"127.0.0.1", "[::1]"}

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986 section 2
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_ESCAPED_STRUCTURE = re.compile(r"%(?:2[EeFf]|5[Cc])")  # . / \
_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[^\]/?#]*\]|[^/?#:\[\]]*)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_PRIVATE_USE = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+):(?P<path>/(?!/)[^?#]*)(?:\?(?P<query>.*))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LOOPBACK = re.compile(r"http://(?P<host>127\.0\.0\.1|\[::1\])(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?")
_RESPONSE_PARAMETERS = {"code", "state", "iss", "error", "error_description", "error_uri", "session_state", "response"}
_INNER_NAMES = (".localhost", ".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa")


class BadAddress(Exception):
    """An address that breaks a rule; its text is the sentence for whoever typed it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart, after it was found to have one meaning only."""

    scheme: str
    host: str
    path: str
    query: str
    has_fragment: bool


def check_redirect_uri(uri: str, *, native: bool) -> None:
    """Raise BadAddress unless uri may get a response: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1.

    Native are the applications without a secret: on a phone or computer they may use the loopback interface or a
    private-use scheme.
    """
    address = _read(uri)
    _refuse_fragment(address)
    if address.host == "" and not native:
        raise BadAddress(_("Only an app on a phone or computer, without a secret, may use a scheme of its own."))
    _check_loopback(address, native=native)
    names = {name for name, _value in parse_qsl(address.query, keep_blank_values=True)}
    if taken := sorted(names & _RESPONSE_PARAMETERS):
        raise BadAddress(_("The log-in's answer adds “%(name)s” itself: take it out of the address.", name=taken[0]))


def check_page(uri: str) -> None:
    """Raise BadAddress unless uri is a page or picture that browsers may open: https, or development's localhost."""
    address = _read(uri)
    if address.host == "":
        raise BadAddress(_("Start the address with https://."))
    _check_loopback(address, native=False)


def check_initiate_login_uri(uri: str) -> None:
    """Raise BadAddress unless uri is a page that starts a log-in (OpenID Connect Core section 4)."""
    check_page(uri)
    _refuse_fragment(_read(uri))


def check_backchannel_logout_uri(uri: str) -> None:
    """Raise BadAddress unless the provider may call uri: https on a public name, or on the outbound allow-list.

    The outbound client checks again what a name resolves to when it calls; this refuses what can't be meant.
    """
    address = _read(uri)
    _refuse_fragment(address)
    if address.host == "":
        raise BadAddress(_("Start the address with https://."))
    if is_on_allow_list(urlsplit(uri)):
        return
    if address.scheme != "https":
        raise BadAddress(_("Start the address with https://."))
    if address.host.startswith("[") or "." not in address.host or address.host.endswith(_INNER_NAMES):
        raise BadAddress(_("Log-out messages go to public servers only, and this is the name of an inner one."))
    if address.host in _LOOPBACK_LITERALS:
        raise BadAddress(_("Log-out messages go to public servers only, and this is the name of an inner one."))


def redirect_uri_matches(registered: str, requested: str, *, native: bool) -> bool:
    """Tell whether requested is the registered URI: the same text (RFC 9700 section 2.1).

    One exception: a native application listens on a port of the loopback interface that it learns only when it
    starts (RFC 8252 section 7.3). The name localhost has no part in it (section 8.3).
    """
    if registered == requested:
        return True
    if not native:
        return False
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(requested)
    if ours is None or theirs is None or int(theirs["port"] or 80) > 65535:
        return False
    return ours["host"] == theirs["host"] and ours["rest"] == theirs["rest"]


def host_of(uri: str) -> str | None:
    """Return the host of a valid redirect URI, or None for one that names no site: loopback or a private scheme."""
    host = urlsplit(uri).hostname
    return None if host is None or host in {"127.0.0.1", "::1", "localhost"} else host


def _read(uri: str) -> Address:
    _check_text(uri)
    scheme = uri.partition(":")[0]
    if scheme.lower() in {"http", "https"}:
        address = _read_web(uri)
    elif private := _PRIVATE_USE.fullmatch(uri.partition("#")[0]):
        address = Address(private["scheme"], "", private["path"], private["query"] or "", "#" in uri)
    elif "." in scheme:
        raise BadAddress(_("A scheme of your own is written like this: com.example.app:/callback."))
    else:
        raise BadAddress(_("Start the address with https://."))
    if _ESCAPED_STRUCTURE.search(address.path) or {".", ".."} & set(address.path.split("/")):
        raise BadAddress(_("Write the path out, without “.”, “..” or escaped slashes."))
    return address


def _check_text(uri: str) -> None:
    if len(uri) > LONGEST:
        raise BadAddress(_("The address is longer than %(count)d characters.", count=LONGEST))
    if not _CHARACTERS.fullmatch(uri):
        raise BadAddress(
            _("Use English letters, digits and the signs that addresses have: no spaces, no backslashes, no accents.")
        )
    if "*" in uri:
        raise BadAddress(_("“*” stands for nothing here: write every address out in full."))
    if _BROKEN_ESCAPE.search(uri) or _ESCAPED_CONTROL.search(uri):
        raise BadAddress(_("The address holds a percent code that means nothing, or a hidden control character."))


def _read_web(uri: str) -> Address:
    authority = re.split(r"[/?#]", uri.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise BadAddress(_("Take the name or password in front of “@” out of the address."))
    match = _WEB.fullmatch(uri)
    if match is None or (match["port"] and int(match["port"]) > 65535):
        raise BadAddress(_("This is no complete address, such as https://app.example.org/callback (in small letters)."))
    _check_host(match["host"])
    return Address(
        match["scheme"],
        match["host"],
        match["path"] or "",
        match["query"] or "",
        match["fragment"] is not None,
    )


def _check_host(host: str) -> None:
    """Accept DNS names in small letters and the loopback interface; no other number, in whatever spelling."""
    if host in LOOPBACK_HOSTS:
        return
    labels = host.split(".")
    # Browsers read any host that ends in a number as an IPv4 address: 2130706433 and 0x7f.1 are 127.0.0.1 to them.
    if host.startswith("[") or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise BadAddress(_("Write the server's name, not its number."))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadAddress(_("“%(host)s” is no server's name. Write it in small letters.", host=host[:60]))
    for label in labels:
        if label.startswith("xn--"):
            _check_punycode(label)


def _check_punycode(label: str) -> None:
    try:
        label.encode("ascii").decode("idna")
    except UnicodeError:
        raise BadAddress(_("“%(host)s” is no server's name. Write it in small letters.", host=label)) from None


def _check_loopback(address: Address, *, native: bool) -> None:
    """Let plain HTTP, and addresses that are numbers, through where they stay inside one machine."""
    allowed = address.host in LOOPBACK_HOSTS and (native or settings.current().is_development)
    if address.scheme == "http" and not allowed:
        raise BadAddress(_("Start the address with https://."))
    if address.host in _LOOPBACK_LITERALS and not allowed:
        raise BadAddress(_("Write the server's name, not its number."))


def _refuse_fragment(address: Address) -> None:
    if address.has_fragment:
        raise BadAddress(_("Take “#” and what follows it out of the address."))
