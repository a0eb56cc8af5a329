"""Whatever is sent to the pages of recovery and support: no 5xx, nothing echoed, and the worker answers all of it."""

import json
from dataclasses import dataclass

import structlog
from hypothesis import given
from hypothesis import strategies as st

from idp import clock
from idp.database import db
from idp.recovery import forgotten_answers, tokens
from idp.recovery.models import FIRST_PASSWORD, OBJECTION, RESET, VERIFICATION
from tests.properties.conftest import Budget
from tests.properties.generated import Slip, Way, headers, sent, slipped, slips
from tests.properties.world import World
from tests.properties.wsgi import MARK
from tests.support import team

_BATCH = 20
_STRANGER, _PARENT, _ADMIN = range(3)


@dataclass(frozen=True)
class Form:
    """A page's form as a person sends it; what stands in braces is filled in from what the run has."""

    path: str
    who: int
    fields: tuple[tuple[str, str], ...]


_SUPPORT = (
    ("topic", "other"), ("name", "Ewa"), ("relationship", "parent"), ("student_name", "Jan"), ("school", "-"),
    ("phone", "847-555-0142"), ("email", "ewa@example.org"), ("language", "en"), ("best_time", "any"),
    ("summary", MARK), ("form_token", "{form}"), ("website", ""),
)  # fmt: skip
_ADDRESS = (("email", "a@example.org"), ("current_password", "{password}"), ("kept", ""))
_HANDLING = (("text", MARK), ("state", "open"), ("version", "{version}"))
_FORMS = (
    Form("/forgot-password", _STRANGER, (("username", "{username}"), ("next", "/help"), ("continue", ""))),
    Form("/forgot-password", _STRANGER, (("username", "ewa@example.org"),)),
    Form("/forgot-username", _STRANGER, (("email", "ewa@example.org"),)),
    Form("/forgot-password/code", _STRANGER, (("handle", "{handle}"), ("code", "12345678"))),
    Form("/forgot-password/temporary", _STRANGER, (("offer", ""),)),
    Form("/robot/begin", _STRANGER, (("purpose", "log_in"), ("level", "2"))),
    Form("/robot/work", _STRANGER, (("answer", "{answer}"), ("payload", MARK))),
    Form("/robot/choose", _STRANGER, (("answer", "{answer}"), ("square", "1"))),
    Form("/robot/answer", _STRANGER, (("answer", "{answer}"), ("square", "1"), ("heard", MARK))),
    Form("/robot/extend", _STRANGER, (("answer", "{answer}"),)),
    Form("/robot/questions", _STRANGER, (("answer", "{answer}"), ("heard", "1"), ("next", "/help"), ("continue", ""))),
    Form("/support", _STRANGER, _SUPPORT),
    Form("/support", _PARENT, _SUPPORT),
    Form("/support/ticket", _STRANGER, (("number", "{number}"), ("contact", "ewa@example.org"), ("continue", ""))),
    Form("/support/sent", _STRANGER, (("continue", ""),)),
    Form("/verify-email", _STRANGER, (("token", "{verification}"),)),
    Form("/not-me", _STRANGER, (("token", "{objection}"),)),
    Form("/reset-password", _STRANGER, (("token", "{reset}"), ("new_password", "x"), ("link", ""))),
    Form("/first-password", _STRANGER, (("token", "{first_password}"), ("new_password", "x"), ("link", ""))),
    Form("/setup/security-email", _STRANGER, (("email", "a@example.org"), ("current_password", "x"), ("later", ""))),
    Form("/account/security-email", _PARENT, _ADDRESS),
    Form("/account/security-email/sent", _PARENT, (("code", "12345678"), ("next", "/help"))),
    Form("/account/security-email/resend", _PARENT, (("next", "/help"),)),
    Form("/desk", _ADMIN, (("q", "Ewa"), ("state", "open"), ("after", ""))),
    Form("/desk/people", _ADMIN, (("q", "Ewa"),)),
    Form("/desk/requests/{number}", _ADMIN, (("do", "reply"), *_HANDLING)),
    Form("/desk/requests/{number}", _ADMIN, (("do", "call"), *_HANDLING)),
    Form("/desk/requests/{number}/account", _ADMIN, (("account", "{id}"), ("q", "Ewa"), ("version", "{version}"))),
    Form("/desk/people/{id}/rename", _ADMIN, (("reason", MARK), ("username", "ewa.new"), ("version", "{person}"))),
    Form("/desk/people/{id}/recovery", _ADMIN, (("reason", MARK), ("how", "phone"), ("version", "{person}"))),
    Form("/desk/people/{id}/temporary-password", _ADMIN, (("reason", MARK), ("version", "{person}"))),
    Form("/desk/people/{id}/security-email", _ADMIN, (("reason", MARK), ("version", "{person}"))),
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One form, and what is wrong with it."""

    form: Form
    way: Way
    wrong: list[Slip]
    head: list[tuple[str, str]]


def _sent(form: Form) -> st.SearchStrategy[Sent]:
    names = (*(name for name, _value in form.fields), "csrf_token", "extra")
    ways = st.one_of(sent, st.just(Way("GET", "query")))
    return st.builds(Sent, st.just(form), ways, slips(names), headers)


class Run:
    """Sends forms, each with the best that the district has for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitors = [world.visitor(address) for address in ("192.0.2.1", "192.0.2.2", "127.0.0.1")]
        self.tokens = [visitor.get("/login").hidden("csrf_token") for visitor in self.visitors]
        self.known: dict[str, str] = {}

    def prepare(self) -> None:
        """Let parent and admin in again, and renew what forms use up."""
        with self.world.app.app_context():
            number, somebody = team.ticket(summary=MARK), self.world.parents[1]
            self.known = {"number": number, "version": team.version(number), "person": team.version(somebody)}
            for purpose in (VERIFICATION, OBJECTION, RESET, FIRST_PASSWORD):
                issued = tokens.issue(purpose, somebody.id, "ewa@example.org", clock.now())
                self.known[purpose] = issued.token
            db.session.commit()
        parent = self.world.parents[0]
        self.known |= {"id": str(somebody.id), "username": parent.username, "password": parent.password}
        for who, person in ((_PARENT, parent), (_ADMIN, self.world.admin)):
            visitor = self.visitors[who]
            if "idp_session" not in visitor.jar or visitor.get("/account/settings").status != 200:
                fields = [("username", person.username), ("password", person.password)]
                assert visitor.post("/login", [("csrf_token", self.tokens[who]), *fields]).status == 303
        begin = [("csrf_token", self.tokens[0]), ("purpose", "log_in")]
        self.known["answer"] = json.loads(self.visitors[0].post("/robot/begin", begin).body)["answer"]
        self.known["form"] = self.visitors[0].get("/support").hidden("form_token")
        asked = [("csrf_token", self.tokens[0]), ("username", "nobody")]
        self.known["handle"] = self.visitors[0].post("/forgot-password", asked).hidden("handle")

    def send(self, one: Sent) -> None:
        """Send one form."""
        path = one.form.path.format(**self.known)
        pairs = [(name, value.format(**self.known)) for name, value in one.form.fields]
        query, body, kind = one.way.split(slipped([("csrf_token", self.tokens[one.form.who]), *pairs], one.wrong))
        self.visitors[one.form.who].send(one.way.method, path, query, body, kind=kind, headers=one.head)

    def work(self) -> None:
        """Answer what was asked, as the worker does, and let nothing be unanswerable."""
        with self.world.app.app_context(), structlog.testing.capture_logs() as told:
            while forgotten_answers.answer_due():
                pass
            db.session.rollback()
        assert not [line for line in told if line["event"] == "question_unanswerable"], told


def test_whatever_is_sent_to_recovery_and_support_nothing_breaks(district: World, budget: Budget) -> None:
    run = Run(district)

    @budget.settings(budget.requests // 4 // _BATCH)
    @given(st.lists(st.one_of(*(_sent(form) for form in _FORMS)), min_size=_BATCH, max_size=_BATCH))
    def act(script: list[Sent]) -> None:
        run.prepare()
        for one in script:
            run.send(one)
        run.work()

    budget.seeded(act)
    act()
    counted = district.judge.counted
    for deep in ("/forgot-password 200", "/forgot-username 200", "/support 303", "/support/ticket 303"):
        assert counted[deep] > 1, (deep, counted)
