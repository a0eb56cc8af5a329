"""The console's form for an application: a fixed list of fields, kept as they were typed until they are in order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from flask_babel import gettext as _

from idp.clients.models import Client
from idp.clients.validation import ALGORITHMS, SCOPES, SECRET_BASIC, Problem

_YES = "yes"
DISTRICT, OTHER = "district", "other"


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """What stands in the form. Only these fields are read: whatever else is sent is nobody's business (DR3)."""

    client_name: str = ""
    description: str = ""
    owner: str = OTHER
    redirect_uris: str = ""
    post_logout_redirect_uris: str = ""
    scope_profile: str = _YES
    scope_email: str = _YES
    token_endpoint_auth_method: str = SECRET_BASIC
    id_token_signed_response_alg: str = ALGORITHMS[0]
    require_pkce: str = _YES
    initiate_login_uri: str = ""
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: str = _YES
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    contacts: str = ""

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> Self:
        """Return what a browser sent; a box that is not ticked is not sent."""
        return cls(**{field.name: sent.get(field.name, "") for field in fields(cls)})

    @classmethod
    def of(cls, client: Client) -> Self:
        """Return the form that shows an application as it is."""
        return cls(
            client_name=client.client_name,
            description=client.description,
            owner=DISTRICT if client.first_party else OTHER,
            redirect_uris="\n".join(client.redirect_uris),
            post_logout_redirect_uris="\n".join(client.post_logout_redirect_uris),
            scope_profile=_tick(on="profile" in client.scopes),
            scope_email=_tick(on="email" in client.scopes),
            token_endpoint_auth_method=client.token_endpoint_auth_method,
            id_token_signed_response_alg=client.id_token_signed_response_alg,
            require_pkce=_tick(on=client.require_pkce),
            initiate_login_uri=client.initiate_login_uri or "",
            backchannel_logout_uri=client.backchannel_logout_uri or "",
            backchannel_logout_session_required=_tick(on=client.backchannel_logout_session_required),
            client_uri=client.client_uri or "",
            logo_uri=client.logo_uri or "",
            policy_uri=client.policy_uri or "",
            tos_uri=client.tos_uri or "",
            contacts="\n".join(client.contacts),
        )

    @property
    def first_party(self) -> bool:
        """Whether the application is the district's own."""
        return self.owner == DISTRICT

    def metadata(self) -> dict[str, object]:
        """Return the form's content under the names that the validator knows (RFC 7591 section 2)."""
        ticked = {"profile": self.scope_profile, "email": self.scope_email}
        return {
            "client_name": self.client_name,
            "description": self.description,
            "redirect_uris": _lines(self.redirect_uris),
            "post_logout_redirect_uris": _lines(self.post_logout_redirect_uris),
            "scope": " ".join(scope for scope in SCOPES if ticked.get(scope, _YES) == _YES),
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
            "id_token_signed_response_alg": self.id_token_signed_response_alg,
            "require_pkce": self.require_pkce == _YES,
            "initiate_login_uri": self.initiate_login_uri.strip(),
            "backchannel_logout_uri": self.backchannel_logout_uri.strip(),
            "backchannel_logout_session_required": self.backchannel_logout_session_required == _YES,
            "client_uri": self.client_uri.strip(),
            "logo_uri": self.logo_uri.strip(),
            "policy_uri": self.policy_uri.strip(),
            "tos_uri": self.tos_uri.strip(),
            "contacts": _lines(self.contacts),
        }


def labels() -> dict[str, str]:
    """Return the words beside each field, for the form and for the list of what is wrong in it."""
    return {
        "client_name": _("Name"),
        "description": _("What is it for?"),
        "owner": _("Who runs it?"),
        "redirect_uris": _("Redirect addresses"),
        "post_logout_redirect_uris": _("Addresses after log-out"),
        "scope": _("What may it learn?"),
        "token_endpoint_auth_method": _("How does it prove itself?"),
        "id_token_signed_response_alg": _("Signature"),
        "require_pkce": _("PKCE is required"),
        "initiate_login_uri": _("Start address"),
        "backchannel_logout_uri": _("Log-out message address"),
        "backchannel_logout_session_required": _("Log-out messages name the session"),
        "client_uri": _("Home page"),
        "logo_uri": _("Logo"),
        "policy_uri": _("Privacy policy"),
        "tos_uri": _("Terms of use"),
        "contacts": _("Contacts"),
        "typed_name": _("Name of the application"),
        "current_password": _("Current Password"),
    }


def summary(problems: list[Problem]) -> list[tuple[str, str]]:
    """Return what is wrong as (id of the field, words), in the order of the form."""
    words = labels()
    order = list(words)
    known = sorted((problem for problem in problems if problem.field in words), key=lambda one: order.index(one.field))
    return [(problem.field, f"{words[problem.field]}: {problem.message}") for problem in known]


def by_field(problems: list[Problem]) -> dict[str, str]:
    """Return each field's problem, to stand beside it."""
    return {problem.field: problem.message for problem in problems}


def _lines(text: str) -> list[str]:
    """Return the lines that hold something; browsers end them with CR and LF."""
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _tick(*, on: bool) -> str:
    return _YES if on else ""
