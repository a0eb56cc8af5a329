"""Whatever is sent: no 5xx, no stranger's address, no token without a spent code, nothing echoed, all headers."""

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp.clients.models import Client
from idp.database import db
from tests.answers import Answer
from tests.factories import Registered
from tests.properties.conftest import Budget
from tests.properties.generated import Act, acts, slipped
from tests.properties.world import AFTER, CHALLENGE, VERIFIER, World
from tests.properties.wsgi import MARK

_BATCH = 20


class Run:
    """Carries acts out, one after another, each with the best that those before it have left."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitors = [world.visitor(address) for address in ("192.0.2.1", "192.0.2.2", "127.0.0.1")]
        """A stranger, a parent and an admin."""
        self.forms = [visitor.get("/login").hidden("csrf_token") for visitor in self.visitors]
        """Each one's proof that a form is of ours."""
        self.sealed = ["", "", ""]
        """What each one's last authorization request travels in."""
        self.codes: dict[str, str] = {}
        """The newest code of each application."""
        self.access_token, self.id_token = "A" * 43, "x.y.z"
        self.tokens = self.registrations = 0

    def carry_out(self, act: Act) -> None:
        """Send one act's request, and look at what only its door can do wrong."""
        application = self.world.applications[act.which]
        match act.door:
            case "/oauth/authorize":
                self._authorize(application, act)
            case "/oauth/token":
                self._redeem(application, act)
            case "/oauth/userinfo":
                head = [("Authorization", f"Bearer {self.access_token}")]
                self._send(0, act, [("access_token", self.access_token)] if act.who else [], head[act.who :])
            case "/logout":
                pairs = [("id_token_hint", self.id_token), ("post_logout_redirect_uri", AFTER), ("state", MARK)]
                self._send(act.who, act, pairs)
            case "/login":
                self._log_in(act)
            case "/consent":
                pairs = [("continue", self.sealed[act.who]), ("decision", ("deny", "allow")[act.which > 0])]
                self._note(application, self._send(act.who, act, [("csrf_token", self.forms[act.who]), *pairs]))
            case _:
                self._register(act)

    def log_in(self) -> None:
        """Let parent and admin in again, if they have logged out."""
        for who, person in ((1, self.world.parents[0]), (2, self.world.admin)):
            if "idp_session" not in self.visitors[who].jar:
                fields = [("csrf_token", self.forms[who]), ("username", person.username), ("password", person.password)]
                assert self.visitors[who].post("/login", fields).status == 303

    def _send(
        self, who: int, act: Act, pairs: list[tuple[str, str]], head: list[tuple[str, str]] | None = None
    ) -> Answer:
        query, body, kind = act.way.split(slipped([*pairs, *act.also], act.wrong))
        answer = self.visitors[who].send(
            act.way.method, act.door, query, body, kind=kind, headers=[*(head or []), *act.head]
        )
        self.world.judge.counted["generated"] += 1
        return answer

    def _authorize(self, application: Registered, act: Act) -> None:
        pairs = [
            ("client_id", application.client_id),
            ("redirect_uri", application.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("state", MARK),
            ("nonce", MARK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        answer = self._send(act.who, act, pairs)
        visitor = self.visitors[act.who]
        if answer.location.startswith("/oauth/authorize?"):  # a POST is sent round
            path, _, query = answer.location.partition("?")
            answer = visitor.send("GET", path, query)
        if answer.status in {302, 303}:
            self.world.judge.counted["past the redirect's check"] += 1
        self._note(application, answer)
        if answer.location.startswith("/"):
            self.sealed[act.who] = answer.query.get("continue", "")
            if act.which == 1:
                visitor.follow(answer)

    def _note(self, application: Registered, answer: Answer) -> None:
        if "code" in answer.query:
            self.codes[application.client_id] = answer.query["code"]

    def _redeem(self, application: Registered, act: Act) -> None:
        head, fields = self.world.proof(application)
        pairs = [
            ("grant_type", "authorization_code"),
            ("code", self.codes.get(application.client_id, "A" * 43)),
            ("redirect_uri", application.redirect_uri),
            ("code_verifier", VERIFIER),
            *fields,
        ]
        answer = self._send(0, act, pairs, head)
        if b"access_token" in answer.body:
            given = json.loads(answer.body)
            self.access_token, self.id_token = given["access_token"], given["id_token"]
            self.tokens += 1
            assert self.world.was_paid_for(self.access_token)
        else:
            assert answer.status in {400, 401, 405, 413}, answer

    def _log_in(self, act: Act) -> None:
        """Log in as a stranger, or as somebody who is logged in already; with which = 0 by a wrong password."""
        visitor, person = self.visitors[act.who], self.world.parents[act.which % 2]
        if act.who == 0:
            visitor.jar.pop("idp_session", None)
        before = visitor.jar.get("idp_session")
        pairs = [
            ("csrf_token", self.forms[act.who]),
            ("username", person.username),
            ("password", person.password if act.which else "wrong"),
        ]
        if act.which == 1 and self.sealed[act.who]:
            pairs.append(("continue", self.sealed[act.who]))
        self._send(act.who, act, pairs)
        if visitor.jar.get("idp_session") not in {None, before}:
            assert act.which, "nobody gets in by a wrong password"
            self.world.judge.counted["logged in"] += 1
            if act.who == 2:
                visitor.jar.pop("idp_session")  # the admin's browser has changed hands

    def _register(self, act: Act) -> None:
        self.registrations += 1
        who = 1 if act.who == 1 else 2
        pairs = [
            ("csrf_token", self.forms[who]),
            ("form_token", f"{self.registrations:043d}"),
            ("client_name", MARK),
            ("description", MARK),
            ("owner", "other"),
            ("redirect_uris", "https://lunch.example/callback\r\nhttps://lunch.example/" + "x" * act.which),
            ("token_endpoint_auth_method", "client_secret_basic"),
            ("id_token_signed_response_alg", "RS256"),
            ("require_pkce", "yes"),
        ]
        answer = self._send(who, act, pairs)
        assert who == 2 or answer.status in {303, 400, 403, 404, 405, 413}, answer
        self.world.judge.counted[f"form {answer.status}"] += 1


def test_whatever_is_sent_nothing_breaks_leaks_or_is_given_away(district: World, budget: Budget) -> None:
    run = Run(district)

    @budget.settings(budget.requests // _BATCH)
    @given(st.lists(acts, min_size=_BATCH, max_size=_BATCH))
    def act(script: list[Act]) -> None:
        run.log_in()
        for step in script:
            run.carry_out(step)

    budget.seeded(act)
    act()
    counted = district.judge.counted
    tokens, spent = district.tokens()

    assert counted["generated"] >= budget.requests, counted
    assert counted["past the redirect's check"] * 3 >= counted["generated"], counted
    assert counted["/oauth/token 200"] == run.tokens == tokens, "no token but by the token endpoint's 200"
    assert tokens <= spent
    for deep in ("code", "/oauth/token 200", "/oauth/userinfo 200", "logged in", "form 200", "error consent_required"):
        assert counted[deep] > counted["generated"] / 5000, (deep, counted)
    _registered_addresses_are_addresses(district)


def _registered_addresses_are_addresses(district: World) -> None:
    with district.app.app_context():
        rows = db.session.scalars(select(Client)).all()
        assert len(rows) > len(district.applications)
        for row in rows:
            for address in [*row.redirect_uris, row.client_uri, row.logo_uri, row.policy_uri, row.tos_uri]:
                scheme = urlsplit(address or "https://x").scheme
                assert scheme in {"https", "http"} or "." in scheme, address
                assert scheme != "http" or urlsplit(address).hostname in {"localhost", "127.0.0.1", "::1"}, address


@pytest.mark.one_database
@pytest.mark.parametrize("body", [f'<p title="{MARK}">', MARK.replace("<", "&lt;"), MARK.replace('"', "&#34;")])
def test_the_judge_sees_what_is_echoed(district: World, body: str) -> None:
    page = district.visitor("192.0.2.1").get("/help")

    with pytest.raises(AssertionError):
        district.judge.look("/help", Answer(200, page.headers, body.encode()))


@pytest.mark.one_database
@pytest.mark.parametrize(
    "location",
    ["https://evil.example/", "//evil.example", "https://lunch.example/callback.evil.example/", "https://lunch.example/callback",
     "https://lunch.example/callback?code=x", "https://lunch.example/callback?code=x&error=y&iss=http%3A%2F%2Flocalhost%3A5000",
     "https://lunch.example/callback?code=x&iss=http%3A%2F%2Fevil.example", "/\\evil.example", "javascript:alert(1)",
     "http://127.0.0.1:80@evil.example/app?code=x"],
)  # fmt: skip
def test_the_judge_sees_where_a_redirect_leads(district: World, location: str) -> None:
    headers = tuple(header for header in district.visitor("192.0.2.1").get("/help").headers)

    with pytest.raises(AssertionError):
        district.judge.look("/oauth/authorize", Answer(302, (*headers, ("Location", location)), b""))
