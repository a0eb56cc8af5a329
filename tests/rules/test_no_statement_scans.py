"""No door goes through a table that grows with the district: whatever is looked for is found by an index.

The plans are those of statements that were really sent, to a database with enough rows for a scan to show.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp import clock, sealing, worker
from idp.accounts import passwords
from idp.accounts.models import ADMIN, SUPPORT, Account
from idp.app import create_app
from idp.captcha import play
from idp.captcha import service as captcha
from idp.captcha.models import LOG_IN
from idp.captcha.rounds import PICTURES
from idp.clients.models import Client
from idp.database import db, release
from idp.login import notices as log_in_notices
from idp.mail import service as mail
from idp.mail.models import OutboxMessage
from idp.oidc import delivery
from idp.operations import pruning
from idp.recovery import forgotten_answers
from idp.sessions import service as sessions
from idp.settings import Settings
from idp.throttle.ladder import Level
from tests import factories, plans
from tests.benchmarks import growth_loading
from tests.benchmarks.growth_scale import REDIRECT_URI, Scale, client_id, client_secret, session_token, username
from tests.captcha.conftest import solved
from tests.databases import Databases, with_database
from tests.factories import PASSWORD, Registered
from tests.oidc.conftest import Application
from tests.pages import Browser, SeparateClient
from tests.plans import Plans
from tests.support.conftest import FILLED_IN, number_on

ACCOUNTS, EXPIRED = 4000, 6000

BOUNDED = {
    "alembic_version": "one row",
    "audit_head": "one row",
    "clients": "a thousand applications at most, of which most pages are one page of rows",
    "client_secrets": "two for an application at most",
    "notice_breakers": "one for an application at most",
    "sectors": "one for an application at most",
    "secret_keys": "a handful of keys",
    "signing_keys": "a handful of keys",
    "worker_leases": "one for each of a worker's tasks",
}
"""Tables that do not grow with the people of a district."""

LOOKED_THROUGH = {
    "authorize, token, UserInfo": {"signing_keys"},
    "the clients' list": {"clients", "notice_breakers"},
    "the portal": {"clients"},  # its menu
    "what was forgotten": {"forgotten_questions"},  # the oldest one, by its id
    "the support desk": {"clients", "audit_seals"},  # its menu; the newest seal
    "the worker": {"signing_keys", "audit_seals"},  # of the seals, the newest one
    "prune": {"audit_seals"},  # the oldest thousand, by their number
}
"""What SQLite may go through, though it never does so for want of rows; nothing else, however small."""


@dataclass
class District:
    """A provider whose database has seen some years."""

    app: Flask
    scale: Scale

    def browser(self, session: int | None = None) -> Browser:
        """Return a browser, with the number-th session or without one."""
        client = self.app.test_client()
        if session is not None:
            client.set_cookie("idp_session", session_token(self.scale.seed, session))
        return Browser(client, self.app.config["IDP"].server.issuer)

    def application(self, number: int) -> Application:
        """Return a registered application."""
        secret = client_secret(self.scale.seed, number)
        return Application(self.app, Registered(uuid.uuid4(), client_id(number), secret, REDIRECT_URI, ""))

    def account(self, number: int) -> uuid.UUID:
        """Return an account's id."""
        return db.session.scalars(select(Account.id).where(Account.username_key == username(number))).one()

    @contextmanager
    def watched(self) -> Iterator[Plans]:
        """Watch what the block asks of the database."""
        release()
        with plans.watched(db.engine) as seen:
            yield seen
            release()


@pytest.fixture(scope="module")
def district(session_settings: Settings, all_databases: Databases, database_kind: str) -> Iterator[District]:
    """A district with enough rows."""
    with all_databases.new(database_kind) as url:
        app = create_app(with_database(session_settings, url))
        app.test_client_class = SeparateClient
        with app.app_context():
            scale = Scale(ACCOUNTS, EXPIRED, clock.now(), password_hash=passwords.hash_password(PASSWORD))
            growth_loading.fill(url, scale, quiet=True)
            yield District(app, scale)
            release()
            db.engine.dispose()


def check(seen: Plans, name: str) -> None:
    """Fail where a statement goes through what grows."""
    allowed = BOUNDED.keys() if db.engine.dialect.name == "postgresql" else LOOKED_THROUGH.get(name, set())
    assert [scan for scan in seen.scans if scan.table not in allowed] == []


def test_single_sign_on(district: District) -> None:
    with district.watched() as seen:
        for number in range(7, 12):
            application, browser = district.application(number), district.browser(number * 300)
            assert application.userinfo(application.tokens(browser.client)["access_token"]).status_code == 200

    assert "access_tokens" in " ".join(seen.statements)
    check(seen, "authorize, token, UserInfo")


def test_what_is_refused(district: District) -> None:
    application, stranger = district.application(3), district.browser()
    with district.watched() as seen:
        code = application.code(district.browser(900).client)
        assert application.redeem(code, code_verifier="x" * 43).status_code == 400
        assert application.redeem(code).status_code == 400
        assert application.redeem("x" * 43).status_code == 400
        application.registered = Registered(uuid.uuid4(), client_id(3), "wrong", REDIRECT_URI, "")
        assert application.redeem("x" * 43).status_code == 401
        assert application.userinfo("x" * 43).status_code == 401
        stranger.open("/oauth/authorize", client_id="nobody", redirect_uri=REDIRECT_URI)

    assert "throttle_counters" in " ".join(seen.statements)
    check(seen, "refusals")


def test_log_in_and_log_out(district: District) -> None:
    request = district.application(4).parameters()
    with district.watched() as seen:
        for number in (77, 2077):
            browser = district.browser()
            browser.open("/oauth/authorize", follow=True, **request)
            browser.log_in(username(number), "wrong")
            browser.log_in(username(number), PASSWORD)
            assert "code" in browser.follow_all().query
            browser.open("/", follow=True)
            browser.open("/logout")
            browser.press("Log Out", follow=True)
            browser.open("/login", follow=True)
            browser.log_in(username(number), PASSWORD)  # the browser is known by now

    assert {"browser_sessions", "audit_events"} <= set(" ".join(seen.statements).replace(".", " ").split())
    check(seen, "the portal")


def test_consent_and_another_account(district: District) -> None:
    db.session.execute(update(Client).where(Client.client_id == client_id(5)).values(first_party=False, revision=2))
    db.session.commit()
    application, browser = district.application(5), district.browser(1205)
    with district.watched() as seen:
        browser.open("/oauth/authorize", follow=True, **application.parameters())
        assert "code" in browser.press("Allow").query
        browser.open("/oauth/authorize", follow=True, **application.parameters(prompt="select_account"))

    check(seen, "consent")


def test_settings(district: District) -> None:
    browser = district.browser(1207)
    with district.watched() as seen:
        for path in ("/account", "/account/sessions", "/account/history", "/account/applications"):
            assert browser.open(path).status == 200

    check(seen, "the portal")


def test_a_familys_request_for_support(district: District) -> None:
    browser = district.browser(1209)
    browser.open("/support")
    for label, value in {**FILLED_IN, "Email": "somebody@example.org"}.items():
        browser.fill(label, value)
    with clock.shifted(timedelta(minutes=1)), district.watched() as seen:
        number = number_on(browser.press("Send", follow=True))
        for contact in ("nobody@example.org", "somebody@example.org"):
            browser.open("/support/ticket")
            browser.fill("Number of your request", number).fill("Your email address or phone number", contact)
            browser.press("Show", follow=True)
        assert "We have it, and will contact you." in browser.words

    assert {"support_tickets", "support_log_entries"} <= set(" ".join(seen.statements).replace(".", " ").split())
    check(seen, "the portal")


def test_the_security_email(district: District) -> None:
    person, newcomer = factories.account(), factories.account(security_email=None)
    first, browser = district.browser(), district.browser()
    browser.log_in(person.username, person.password)
    with district.watched() as seen:
        first.log_in(newcomer.username, newcomer.password)
        first.follow()
        for one, who in ((first, newcomer), (browser, person)):
            one.open("/account/security-email" if one is browser else "/setup/security-email")
            one.fill("Email Address", f"{who.username}@example.net").fill("Current Password", who.password)
            assert one.press("Save").status == 303
            assert "Not verified" in one.open("/account/settings").words
            assert one.press("Resend Verification Email").status == 429
            assert one.fill("Code", "1").press("Verify").status == 422
        mails = db.session.scalars(select(OutboxMessage).where(OutboxMessage.account_id == person.id)).all()
        for message in sorted(mails, key=lambda message: message.kind, reverse=True):
            content = mail.opened(message)
            assert content is not None
            browser.open(content.text.partition("http://localhost:5000")[2].split()[0], follow=True)
            assert browser.press(browser.page.buttons[0], follow=True).status == 200
        browser.open("/verify-email?token=" + "A" * 43, follow=True)

    assert "email_tokens" in " ".join(seen.statements)
    check(seen, "the portal")


def test_the_console(district: District) -> None:
    admin, browser = factories.account(role=ADMIN), district.browser()
    browser.log_in(admin.username, admin.password)
    with district.watched() as seen:
        for path in ("/admin", "/admin/clients", "/admin/clients?q=0001", "/admin/clients?page=2"):
            assert browser.open(path).status == 200
        assert browser.open(f"/admin/clients/{client_id(6)}").status == 200

    check(seen, "the clients' list")


def test_a_robot_check(district: District) -> None:
    mine, now = sealing.random_token(), clock.now()
    with district.watched() as seen:
        for level in (Level.BOX, Level.PICTURES):
            begun = captcha.begin(LOG_IN, level, browser=mine, now=now)
            assert isinstance(begun, captcha.Begun)
            captcha.finish_work(begun.answer, solved(begun.work), browser=mine, now=now)
            play.show(begun.answer, PICTURES, "en", browser=mine, now=now)
            play.choose(begun.answer, 1, browser=mine, now=now)
            play.answer_squares(begun.answer, [1], "en", browser=mine, now=now)
            captcha.extend(begun.answer, browser=mine, now=now)
            captcha.checked(begun.answer, browser=mine, purpose=LOG_IN, now=now)
            assert captcha.spend(begun.answer, browser=mine, purpose=LOG_IN, now=now) is Level.BOX
            db.session.commit()
    check(seen, "a robot check")
    assert "robot_checks" in _tables(seen)


def test_the_support_desk(district: District) -> None:
    secretary, browser = factories.account(role=SUPPORT), district.browser()
    browser.log_in(secretary.username, secretary.password)
    request, person = f"/desk/requests/{10_000_010}", f"/desk/people/{district.account(10)}"
    with district.watched() as seen:
        for path in (
            "/desk",
            "/desk?state=closed",
            f"/desk?after={'0' * 32}",
            "/desk?q=10000010",
            "/desk?q=kowalska+77",
            "/desk/wrong-passwords",
        ):
            assert browser.open(path).status == 200
        for typed in ("kowalska 77", "ewa kowalska 77", username(77), "parent77@example.org", "family77@example.org"):
            assert "Ewa Kowalska" in browser.open("/desk/people", q=typed).words
        for path in (
            person,
            f"{person}/rename",
            f"{person}/verification",
            f"{person}/security-email",
            f"{person}/unlock",
            f"{request}/account",
            request,
        ):
            assert browser.open(path).status == 200
        browser.fill("Your answer", "Look into your spam folder.").press("Send", follow=True)
        assert "Queued" in browser.words
        browser.open(f"{person}/rename").form_of("Change the username", {})
        browser.fill("New username", "ewa.renamed").fill("Why?", "Asked.").press("Change the username", follow=True)
        assert "ewa.renamed" in browser.words
        browser.open(f"{person}/security-email").form_of("Remove the security email", {})
        browser.fill("Why?", "Asked.").press("Remove the security email", follow=True)
        assert "The security email is removed" in browser.words

    assert {"support_tickets", "support_log_entries", "outbox_messages"} <= _tables(seen)
    check(seen, "the support desk")


def _tables(seen: Plans) -> set[str]:
    return set(" ".join(seen.statements).replace(".", " ").split())


def test_pruning(district: District) -> None:
    counts = dict.fromkeys((name for name, _delete in pruning.FEATURES), 0)
    with district.watched() as seen:
        for name, delete_expired in pruning.FEATURES:
            for gone in delete_expired(clock.now(), 20):
                db.session.commit()
                counts[name] += gone

    assert all(counts.values()), counts
    check(seen, "prune")


def test_the_worker(district: District) -> None:
    clients = select(Client.id).where(Client.client_id.in_([client_id(8), client_id(9)]))
    told = update(Client).where(Client.id.in_(clients)).values(backchannel_logout_uri="http://localhost:9/")
    db.session.execute(told.execution_options(synchronize_session=False))
    db.session.commit()
    with district.watched() as seen:
        account = db.session.scalars(select(Account).where(Account.username_key == username(8))).one()
        assert sessions.end_all(account.id, "account_disabled", clock.now()) == 1
        db.session.commit()
        delivery.give_up_old(clock.now())
        for client in db.session.scalars(clients).all():
            delivery.deliver_next(client)
        for _try in range(3):
            district.browser().log_in(username(8), "wrong", path="/login")
        assert worker.seal_all() > 0
        with clock.shifted(timedelta(minutes=11)):
            assert log_in_notices.tell_due(0, clock.now()) > 0

    assert "logout_notices" in " ".join(seen.statements)
    assert "login/tries" in [message.kind for message in db.session.scalars(select(OutboxMessage))]
    check(seen, "the worker")


def test_what_was_forgotten(district: District) -> None:
    """After pruning, for which the worker would leave nothing."""
    browser = district.browser()
    with district.watched() as seen:
        for typed in (username(9), "family12@example.org", "nobody"):
            browser.open("/forgot-password")
            browser.fill("Username or security email", typed).press("Send Email")
            browser.fill("Code", "12345678").press("Go On")
        browser.open("/forgot-username")
        browser.fill("Security email", "family19@example.org").press("Send Email")
        while forgotten_answers.answer_due():
            pass
        mailed = select(OutboxMessage).where(OutboxMessage.recipient == "family8@example.org")
        content = mail.opened(db.session.scalars(mailed.where(OutboxMessage.kind == "recovery/reset")).one())
        assert content
        browser.open("/reset-password?" + content.text.partition("/reset-password?")[2].split()[0], follow=True)
        assert browser.fill("New Password", "a lantern over the pond").press("Save").status == 303

    assert "security_emails" in " ".join(seen.statements)
    check(seen, "what was forgotten")
