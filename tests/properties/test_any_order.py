"""Two browsers, two applications, and everything in any order: a model says what each request has to give."""

import json
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.answers import Answer
from tests.properties.conftest import Budget
from tests.properties.world import AFTER, CHALLENGE, VERIFIER, World
from tests.properties.wsgi import Pairs, Visitor

_STEPS = 25

browsers = st.integers(0, 1)
applications = st.integers(0, 1)
people = st.integers(0, 1)
mostly = st.sampled_from((True, True, True, False))


@dataclass
class LogIn:
    """Somebody's session, from its log-in to its end."""

    person: int
    ended: bool = False


@dataclass
class Code:
    """A code, and what has become of it."""

    value: str
    application: int
    session: LogIn
    spent: bool = False
    access_token: str = ""
    revoked: bool = False


class AnyOrder(RuleBasedStateMachine):
    """What browsers and applications can do, and what the provider then owes them."""

    world: World

    @initialize(people=st.tuples(people, people))
    def begin(self, people: tuple[int, int]) -> None:
        """Two browsers that have not been here before, and log in; nobody has consented to anything."""
        self.world.take_back_consents()
        self.visitors = [self.world.visitor(f"192.0.2.{number}") for number in (1, 2)]
        self.sessions: list[LogIn | None] = [None, None]
        self.codes: list[Code] = []
        self.looked_at = 0
        for browser, person in enumerate(people):
            self.log_in(browser, person, right=True)

    @rule(browser=browsers, person=people, right=mostly)
    def log_in(self, browser: int, person: int, right: bool) -> None:
        """By a right or a wrong password; one who is logged in is not asked, and sends the form all the same."""
        visitor, had = self.visitors[browser], self.sessions[browser]
        who = self.world.parents[person]
        page = visitor.get("/login")
        assert (page.status == 303) == (had is not None)
        token = page.hidden("csrf_token") or visitor.get("/").hidden("csrf_token")
        fields = [("csrf_token", token), ("username", who.username), ("password", who.password if right else "wrong")]
        before = visitor.jar.get("idp_session")
        answer = visitor.post("/login", fields)
        assert answer.status == (303 if right else 422)
        assert (visitor.jar.get("idp_session") != before) == right, "a new session's name is new, and no other"
        if right and (had is None or had.person != person):
            if had is not None:
                had.ended = True
            self.sessions[browser] = LogIn(person)

    @rule(
        browser=browsers,
        application=applications,
        prompt=st.sampled_from(("", "none", "login", "consent")),
        then=st.booleans(),
    )
    def authorize(self, browser: int, application: int, prompt: str, then: bool) -> None:
        """Ask for a code, and redeem it or not; what page stands between is opened, and left open."""
        answer = self._ask(self.visitors[browser], application, prompt)
        session = self.sessions[browser]
        if "code" in answer.query:
            assert session is not None
            assert prompt in {"", "none"}
            self.codes.append(Code(answer.query["code"], application, session))
            if then:
                self._redeem_once(0, mine=True, right=True)
        elif prompt == "none":
            assert answer.query["error"] == ("login_required" if session is None else "consent_required")
            assert session is None or application == 1, "the district's own need no consent"
        else:
            page = "/login" if session is None or prompt == "login" else "/consent"
            assert answer.location.startswith(f"{page}?"), answer.location
            assert self.visitors[browser].follow(answer).status == 200

    @rule(browser=browsers, application=applications, allowed=mostly)
    def consent(self, browser: int, application: int, allowed: bool) -> None:
        """Ask with prompt=consent, and press one of the buttons."""
        visitor, session = self.visitors[browser], self.sessions[browser]
        asked = self._ask(visitor, application, "consent")
        page = visitor.follow(asked)
        if session is None:
            assert "Log in to go on" in page.text
            return
        fields = [("csrf_token", page.hidden("csrf_token")), ("continue", page.hidden("continue"))]
        answer = visitor.post("/consent", [*fields, ("decision", "allow" if allowed else "deny")])
        if allowed:
            self.codes.append(Code(answer.query["code"], application, session))
            again = self._ask(visitor, application, "none")
            self.codes.append(Code(again.query["code"], application, session))
        else:
            assert answer.query["error"] == "access_denied"

    @rule(which=st.integers(0, 2), mine=mostly, right=mostly, times=st.integers(1, 2))
    def redeem(self, which: int, mine: bool, right: bool, times: int) -> None:
        """Redeem one of the codes, new or old, by its application or the other, with a verifier right or wrong."""
        for _ in range(times):
            self._redeem_once(which, mine=mine, right=right)

    def _redeem_once(self, which: int, *, mine: bool, right: bool) -> None:
        if not self.codes:
            return
        code = self.codes[-1 - which % len(self.codes)]
        by = code.application if mine else 1 - code.application
        answer = self._redeem(code.value, by, VERIFIER if right else "w" * 43)
        if not mine:
            assert _error(answer) == "invalid_grant", "and it is not spent by that"
        elif code.spent:
            assert _error(answer) == "invalid_grant"
            code.revoked = True
        else:
            code.spent = True
            if right and not code.session.ended:
                assert answer.status == 200, answer
                code.access_token = _value(answer, "access_token")
                assert self.world.was_paid_for(code.access_token)
            else:
                assert _error(answer) == "invalid_grant"

    @rule(browser=browsers, way=st.sampled_from(("asked", "forged", "confirmed")))
    def log_out(self, browser: int, way: str) -> None:
        """Log out, open the page that asks, or be sent a form by another site."""
        visitor, session = self.visitors[browser], self.sessions[browser]
        if way == "forged":
            fields = [("csrf_token", "k1.AAAA")]
            visitor.post("/logout", fields, headers=[("Sec-Fetch-Site", "cross-site")])
            return
        page = visitor.get("/logout", [("client_id", self.world.applications[1].client_id),
                                       ("post_logout_redirect_uri", AFTER), ("state", "s")])  # fmt: skip
        if session is None:
            assert page.location.startswith(AFTER)
        elif way == "confirmed":
            fields = [("csrf_token", page.hidden("csrf_token")), ("return_to", page.hidden("return_to"))]
            assert visitor.post("/logout", fields).location == f"{AFTER}?state=s"
            session.ended = True
            self.sessions[browser] = None
            assert "idp_session" not in visitor.jar

    @rule(browser=browsers, rarely=st.sampled_from((False, False, True)))
    def replay_a_cookie(self, browser: int, rarely: bool) -> None:
        """Log out, and come back with the cookie of before."""
        visitor = self.visitors[browser]
        kept = visitor.jar.get("idp_session")
        if not rarely or kept is None:
            return
        self.log_out(browser, "confirmed")
        visitor.jar["idp_session"] = kept
        assert self._ask(visitor, 0, "none").query["error"] == "login_required"
        visitor.jar.pop("idp_session", None)

    @invariant()
    def who_is_logged_in_is_who_logged_in(self) -> None:
        """Each browser in turn opens the portal exactly when it should."""
        self.looked_at = 1 - self.looked_at
        opened = self.visitors[self.looked_at].get("/").status == 200
        assert opened == (self.sessions[self.looked_at] is not None)

    @invariant()
    def a_token_is_good_as_long_as_all_that_it_stands_on(self) -> None:
        """UserInfo answers for the newest tokens as the model says."""
        for code in [code for code in self.codes if code.access_token][-2:]:
            head = [("Authorization", f"Bearer {code.access_token}")]
            answer = self.visitors[0].send("GET", "/oauth/userinfo", headers=head)
            good = not code.session.ended and not code.revoked
            assert (answer.status == 200) == good, (code, answer)
            if good:
                assert _value(answer, "preferred_username") == self.world.parents[code.session.person].username

    def _ask(self, visitor: Visitor, application: int, prompt: str) -> Answer:
        registered = self.world.applications[application]
        pairs = [
            ("client_id", registered.client_id),
            ("redirect_uri", registered.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        return visitor.get("/oauth/authorize", [*pairs, ("prompt", prompt)] if prompt else pairs)

    def _redeem(self, code: str, by: int, verifier: str) -> Answer:
        registered = self.world.applications[by]
        head, fields = self.world.proof(registered)
        pairs: Pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", registered.redirect_uri),
            ("code_verifier", verifier),
            *fields,
        ]
        return self.world.visitor("192.0.2.3").post("/oauth/token", pairs, headers=head)


def test_everything_in_any_order_gives_what_the_model_says(district: World, budget: Budget) -> None:
    machine = type("AnyOrder", (AnyOrder,), {"world": district})
    budget.seeded(machine)

    run_state_machine_as_test(machine, settings=budget.steps(_STEPS))

    counted = district.judge.counted
    tokens, spent = district.tokens()
    assert counted["/oauth/token 200"] == tokens <= spent
    for deep in ("/oauth/token 200", "/oauth/token 400", "/oauth/userinfo 200", "/oauth/userinfo 401", "code",
                 "error login_required", "error consent_required", "error access_denied", "/login 422"):  # fmt: skip
        assert counted[deep] > 0, (deep, counted)


def _value(answer: Answer, name: str) -> str:
    return str(json.loads(answer.body)[name])


def _error(answer: Answer) -> str:
    assert answer.status == 400, answer
    return _value(answer, "error")
