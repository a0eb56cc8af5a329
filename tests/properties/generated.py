"""What is sent: right requests with a few things wrong, since rubbish alone never gets past the first check."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.properties.wsgi import MARK, Pairs, encoded

_ODD = (
    MARK, "", " ", "\0", "a\0b", "\r\nSet-Cookie: a=b", "%00%0d%0a", "\ud800", "\ufeff", "\u202e", "\u0130ı\u017f",
    "💣" * 20, "A" * 2047, "A" * 5000, "'; DROP TABLE accounts;--", "{{7*7}}", "${7*7}", "../../etc/passwd", "0", "-1",
    "9" * 40, "NaN", "null", "true", "[]", "{}", "javascript:alert(1)", "https://evil.example/", "//evil.example",
    "/\\evil.example", "https://grades.example/cb?tenant=207&x=1", "https://grades.example@evil.example/cb",
    "https://lunch.example/callback/", "http://127.0.0.1:8/app", "http://127.0.0.1:8/app#x",
    "http://127.0.0.1.evil.example/app", "none", "login consent", "S256", "plain", "openid", "code id_token",
    "form_post", "eyJhbGciOiJub25lIn0.e30.", "k1.AAAA", "p.AAAA", "__proto__",
)  # fmt: skip

odd = st.one_of(
    st.sampled_from(_ODD),
    st.text(st.characters(exclude_categories=()), max_size=12),
    st.builds(lambda before, after: before + MARK + after, st.text(max_size=4), st.text(max_size=4)),
)
"""A value that nobody expects."""

AUTHORIZE = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age",
    "code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "request", "request_uri", "registration",
    "acr_values", "display", "ui_locales", "claims_locales", "claims", "extra",
)  # fmt: skip
TOKEN = ("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope", "refresh_token",
         "client_assertion", "client_assertion_type", "username", "password", "extra")  # fmt: skip
LOG_OUT = ("id_token_hint", "post_logout_redirect_uri", "state", "client_id", "logout_hint", "ui_locales", "extra")
LOG_IN = ("username", "password", "csrf_token", "continue", "next", "shared_computer", "extra")
CLIENT = (
    "client_name", "description", "owner", "redirect_uris", "post_logout_redirect_uris", "scope_profile", "scope_email",
    "token_endpoint_auth_method", "id_token_signed_response_alg", "require_pkce", "initiate_login_uri",
    "backchannel_logout_uri", "backchannel_logout_session_required", "client_uri", "logo_uri", "policy_uri", "tos_uri",
    "contacts", "form_token", "csrf_token", "revision", "client_id", "first_party",
)  # fmt: skip
USERINFO = ("access_token", "scope", "extra")


@dataclass(frozen=True)
class Slip:
    """One thing that is wrong with a request."""

    how: str
    name: str
    value: str

    def upon(self, pairs: Pairs) -> list[tuple[str, str]]:
        """Return the parameters with it."""
        match self.how:
            case "drop":
                return [pair for pair in pairs if pair[0] != self.name]
            case "double":
                return [*pairs, (self.name, dict(pairs).get(self.name, self.value))]
            case "rename":
                return [(f"{name}[]" if name == self.name else name, value) for name, value in pairs]
            case "append":
                return [(name, f"{value}{self.value}" if name == self.name else value) for name, value in pairs]
            case "wrap":
                return [
                    (name, f"{self.value}{value}{self.value}" if name == self.name else value) for name, value in pairs
                ]
        return [*(pair for pair in pairs if pair[0] != self.name), (self.name, self.value)]


def slips(names: tuple[str, ...], at_most: int = 2) -> st.SearchStrategy[list[Slip]]:
    """Return a few slips with these parameters."""
    ways = st.sampled_from(("replace", "replace", "replace", "append", "append", "drop", "double", "rename", "wrap"))
    return st.lists(st.builds(Slip, ways, st.sampled_from(names), odd), max_size=at_most)


def slipped(pairs: Pairs, wrong: list[Slip]) -> list[tuple[str, str]]:
    """Return a request's parameters with all that is wrong with them."""
    for slip in wrong:
        pairs = slip.upon(pairs)
    return list(pairs)


headers = st.lists(
    st.sampled_from((
        ("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Host", "evil.example"), ("Host", "evil.example"),
        ("Origin", "null"), ("Origin", "https://evil.example"), ("Referer", "https://evil.example/marked"),
        ("Cookie", "idp_session=" + "A" * 43 + "; idp_browser=" + "B" * 43), ("Cookie", "a"),
        ("Authorization", "Basic " + "Z" * 40), ("Authorization", "Bearer \xff"), ("Authorization", "Basic \xff:"),
        ("User-Agent", MARK * 40), ("Range", "bytes=0-1"), ("X-HTTP-Method-Override", "PUT"),
        ("Accept-Language", "xx,de;q=nan"), ("Sec-Fetch-Site", "cross-site"), ("Content-Encoding", "gzip"),
    )),
    max_size=1,
)  # fmt: skip
"""Something odd in a request's head."""


@dataclass(frozen=True)
class Way:
    """How parameters travel."""

    method: str
    place: str

    def split(self, pairs: Pairs) -> tuple[str, bytes | None, str]:
        """Return query, body and the body's type."""
        text = encoded(pairs)
        match self.place:
            case "query":
                return text, None, ""
            case "both":
                return text, text.encode(), "application/x-www-form-urlencoded"
            case "raw":
                raw = "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
                return raw.decode("latin-1"), None, ""
            case "multipart":
                return "", _multipart(pairs), "multipart/form-data; boundary=b"
            case "json":
                return "", b'{"a": [' + text.encode() + b"]}", "application/json"
            case "twice":
                return text.replace("%", "%25"), None, ""
        return "", text.encode(), "application/x-www-form-urlencoded"


def _multipart(pairs: Pairs) -> bytes:
    parts = []
    for name, value in pairs:
        shown = "".join(character for character in name if character not in '\r\n"')
        parts.append(f'--b\r\nContent-Disposition: form-data; name="{shown}"\r\n\r\n{value}\r\n')
    return ("".join(parts) + "--b--\r\n").encode("utf-8", "surrogatepass")


asked = st.one_of(
    st.just(Way("GET", "query")),
    st.just(Way("GET", "query")),
    st.just(Way("POST", "body")),
    st.builds(
        Way,
        st.sampled_from(("GET", "POST", "PUT", "HEAD")),
        st.sampled_from(("raw", "both", "json", "twice", "multipart")),
    ),
)
"""How something is asked for: mostly as it should be."""
sent = st.one_of(
    st.just(Way("POST", "body")),
    st.just(Way("POST", "body")),
    st.just(Way("POST", "multipart")),
    st.builds(
        Way,
        st.sampled_from(("GET", "POST", "PATCH", "DELETE")),
        st.sampled_from(("query", "both", "raw", "json", "twice")),
    ),
)
"""How a form is sent: mostly as it should be."""


@dataclass(frozen=True)
class Act:
    """One thing that somebody does."""

    door: str
    who: int
    """Which of the visitors."""
    which: int
    """Which of the applications."""
    way: Way
    wrong: list[Slip]
    head: list[tuple[str, str]]
    also: tuple[tuple[str, str], ...] = ()


def _acts(
    door: str, names: tuple[str, ...], way: st.SearchStrategy[Way], also: object = None
) -> st.SearchStrategy[Act]:
    more = also if isinstance(also, st.SearchStrategy) else st.just(())
    return st.builds(Act, st.just(door), st.integers(0, 2), st.integers(0, 2), way, slips(names), headers, more)


_prompted = st.lists(
    st.sampled_from((
        ("prompt", "none"), ("prompt", "none"), ("prompt", "login"), ("prompt", "consent"), ("claims", "{}"),
        ("prompt", "select_account"), ("max_age", "0"), ("max_age", "9999"), ("login_hint", MARK), ("ui_locales", "pl"),
        ("id_token_hint", "x.y.z"),
    )),
    max_size=1,
).map(tuple)  # fmt: skip

acts = st.one_of(
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/authorize", AUTHORIZE, asked, _prompted),
    _acts("/oauth/token", TOKEN, sent),
    _acts("/oauth/token", TOKEN, sent),
    _acts("/oauth/userinfo", USERINFO, asked),
    _acts("/logout", LOG_OUT, asked),
    _acts("/login", LOG_IN, sent),
    _acts("/consent", (*LOG_IN, "decision"), sent),
    _acts("/admin/clients/new", CLIENT, sent),
)
"""What a stranger, a parent and an admin do, and what is wrong with it."""
