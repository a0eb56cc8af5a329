"""The one validator of an application's metadata, for every door that registers: console, command line, protocol.

Names are those of RFC 7591 section 2 and OpenID Connect Dynamic Client Registration section 2. What it does not know
is ignored (RFC 7591 section 2), and what makes an application the district's own is no metadata at all.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from flask_babel import gettext as _

from idp.clients import addresses
from idp.clients.addresses import BadAddress

SCOPES = ("openid", "profile", "email")
SECRET_BASIC, SECRET_POST, NO_SECRET = AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
ALGORITHMS = ("RS256", "ES256", "EdDSA")

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500
MOST_ADDRESSES = 20
MOST_CONTACTS = 10
_LONGEST_LIST_TEXT = 300

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}\.[A-Za-z0-9-]{1,63}")
_FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # Persian, Hindi and others can't be written without them


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, in a sentence for whoever filled it in."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """An application's metadata, found to be in order."""

    client_name: str
    description: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str
    require_pkce: bool
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    initiate_login_uri: str | None
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    contacts: tuple[str, ...]

    @property
    def is_public(self) -> bool:
        """Whether the application has no secret (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == NO_SECRET


def validate(metadata: Mapping[str, object]) -> ClientMetadata | list[Problem]:
    """Return the metadata in its final form, or everything that is wrong with it."""
    reader = _Reader(metadata)
    auth_method = reader.choice("token_endpoint_auth_method", AUTH_METHODS, SECRET_BASIC)
    redirect_check = partial(addresses.check_redirect_uri, native=auth_method == NO_SECRET)
    found = ClientMetadata(
        client_name=reader.text("client_name", LONGEST_NAME, required=True),
        description=reader.text("description", LONGEST_DESCRIPTION, required=False),
        redirect_uris=reader.addresses("redirect_uris", redirect_check, required=True),
        post_logout_redirect_uris=reader.addresses("post_logout_redirect_uris", redirect_check, required=False),
        scopes=reader.scopes(),
        token_endpoint_auth_method=auth_method,
        id_token_signed_response_alg=reader.choice("id_token_signed_response_alg", ALGORITHMS, ALGORITHMS[0]),
        require_pkce=reader.boolean("require_pkce", default=True),
        backchannel_logout_uri=reader.address("backchannel_logout_uri", addresses.check_backchannel_logout_uri),
        backchannel_logout_session_required=reader.boolean("backchannel_logout_session_required", default=True),
        initiate_login_uri=reader.address("initiate_login_uri", addresses.check_initiate_login_uri),
        client_uri=reader.address("client_uri", addresses.check_page),
        logo_uri=reader.address("logo_uri", addresses.check_page),
        policy_uri=reader.address("policy_uri", addresses.check_page),
        tos_uri=reader.address("tos_uri", addresses.check_page),
        contacts=reader.contacts(),
    )
    if found.is_public and not found.require_pkce:
        reader.refuse("require_pkce", _("An application without a secret has to use PKCE."))
    return reader.problems or found


class _Reader:
    """Takes fields out of untyped metadata, checks each one's type, and gathers what is wrong."""

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self._metadata = metadata
        self.problems: list[Problem] = []

    def refuse(self, field: str, message: str) -> None:
        """Note a problem, one for each field: the first is the one to mend first."""
        if all(problem.field != field for problem in self.problems):
            self.problems.append(Problem(field, message))

    def text(self, field: str, longest: int, *, required: bool) -> str:
        """Read one line of words for people to see."""
        raw = self._metadata.get(field)
        if raw is None:
            raw = ""
        if not isinstance(raw, str):
            self.refuse(field, _("This has to be text."))
            return ""
        value = unicodedata.normalize("NFC", raw.strip())
        if not value and required:
            self.refuse(field, _("Fill this in."))
        elif len(value) > longest:
            self.refuse(field, _("Use %(count)d characters or fewer.", count=longest))
        elif not _is_plain(value):
            self.refuse(field, _("Take out line breaks and signs that can't be seen."))
        elif value and not any(character.isalnum() for character in value):
            self.refuse(field, _("Use at least one letter or digit."))
        return value

    def choice(self, field: str, choices: tuple[str, ...], default: str) -> str:
        """Read one of a few words."""
        raw = self._metadata.get(field)
        if raw is None or raw == "":
            return default
        if not isinstance(raw, str) or raw not in choices:
            self.refuse(field, _("Choose one of: %(choices)s.", choices=", ".join(choices)))
            return default
        return raw

    def boolean(self, field: str, *, default: bool) -> bool:
        """Read yes or no."""
        raw = self._metadata.get(field)
        if raw is None:
            return default
        if not isinstance(raw, bool):
            self.refuse(field, _("This has to be true or false."))
            return default
        return raw

    def address(self, field: str, check: Callable[[str], None]) -> str | None:
        """Read one address that may be missing."""
        raw = self._metadata.get(field)
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            self.refuse(field, _("This has to be text."))
            return None
        try:
            check(raw)
        except BadAddress as problem:
            self.refuse(field, str(problem))
        return raw

    def addresses(self, field: str, check: Callable[[str], None], *, required: bool) -> tuple[str, ...]:
        """Read a list of addresses, none of them twice."""
        values = self._texts(field, MOST_ADDRESSES)
        if not values and required:
            self.refuse(field, _("Give at least one address."))
        for value in values:
            try:
                check(value)
            except BadAddress as problem:
                self.refuse(field, f"{_shown(value)}: {problem}")
        return values

    def contacts(self) -> tuple[str, ...]:
        """Read the e-mail addresses of whoever looks after the application."""
        values = self._texts("contacts", MOST_CONTACTS)
        for value in values:
            if not _EMAIL.fullmatch(value):
                self.refuse("contacts", _("%(value)s: this is no e-mail address.", value=_shown(value)))
        return values

    def scopes(self) -> tuple[str, ...]:
        """Read what the application may ask for; openid is what makes a request a log-in (Core section 3.1.2.1)."""
        raw = self._metadata.get("scope")
        if raw is None or raw == "":
            return SCOPES
        if not isinstance(raw, str):
            self.refuse("scope", _("This has to be text."))
            return SCOPES
        asked = raw.split(" ")
        if unknown := [scope for scope in asked if scope not in SCOPES]:
            self.refuse("scope", _("There is no scope “%(scope)s”.", scope=_shown(unknown[0])))
        elif "openid" not in asked:
            self.refuse("scope", _("The scope has to hold “openid”."))
        return tuple(scope for scope in SCOPES if scope in asked)

    def _texts(self, field: str, most: int) -> tuple[str, ...]:
        raw = self._metadata.get(field)
        if raw is None:
            return ()
        # A text is iterable, too: taken for a list of letters it would make every one of them a valid address.
        if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
            self.refuse(field, _("This has to be a list of texts."))
            return ()
        if len(raw) > most:
            self.refuse(field, _("Give %(count)d or fewer.", count=most))
            return ()
        if len(set(raw)) < len(raw):
            self.refuse(field, _("One of them is there twice."))
        return tuple(raw)


def _is_plain(text: str) -> bool:
    """Tell whether a text shows as it is: no control, and none of what turns the direction of writing round."""
    return all(
        unicodedata.category(character) not in _FORBIDDEN_CATEGORIES or character in _JOINERS for character in text
    )


def _shown(value: str) -> str:
    """Return a refused value in a form that can stand in a sentence on any screen."""
    visible = "".join(character if character.isprintable() else "�" for character in value)
    return visible if len(visible) <= 80 else f"{visible[:79]}…"
