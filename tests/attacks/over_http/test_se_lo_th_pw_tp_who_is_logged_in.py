"""Rows SE1 to SE5, LO3, LO5, TH3 to TH16, PW1 to PW9, TP1 and TP3: who is logged in, and how often one may try."""

import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from idp import clock
from idp.accounts import passwords
from idp.accounts import service as accounts
from idp.accounts.models import ADMIN, Account
from idp.admin import people
from idp.admin.people import WithTemporaryPassword
from idp.audit.models import AuditEvent
from idp.database import db
from idp.sessions.models import BrowserSession
from tests.attacks.over_http.conftest import Intruder, Target
from tests.factories import PASSWORD, Person, Registered


def _is_in(browser: Intruder) -> bool:
    return browser.get("/account").status == 200


def _with(target: Target, jar: dict[str, str]) -> Intruder:
    return Intruder(target, dict(jar))


def test_se1_a_session_changes_its_name_with_each_log_in(target: Target) -> None:
    person = target.make_account()
    browser = target.intruder()
    browser.get("/login")
    names = [browser.jar.get("idp_session")]
    for _ in range(3):
        before = dict(browser.jar)
        sealed = browser.authorize(target.make_client(), prompt="login").query["continue"]
        token = browser.get("/login", {"continue": sealed}).hidden("csrf_token")
        form = {"csrf_token": token, "username": person.username, "password": person.password}
        assert browser.send("POST", "/login", {"continue": sealed}, form).status == 303
        names.append(browser.jar["idp_session"])
        assert not _is_in(_with(target, before)), "the old name is dead"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("value", ["", "A" * 43, "A" * 42, "../" * 14, "%00" * 14, '"' + "A" * 41 + '"', "A" * 4000])
def test_se1_a_name_that_is_brought_along_is_not_taken(target: Target, value: str) -> None:
    person = target.make_account()
    browser = target.intruder()
    browser.get("/login")
    browser.jar["idp_session"] = value
    assert not _is_in(browser)
    form = {
        "csrf_token": browser.get("/login").hidden("csrf_token"),
        "username": person.username,
        "password": person.password,
    }
    assert browser.post("/login", form).status == 303

    assert browser.jar["idp_session"] != value
    assert _is_in(browser)


def test_se3_cookies_are_for_this_host_and_no_script(target: Target, lunch: Registered) -> None:
    browser = target.intruder()
    person = target.make_account()
    replies = [
        browser.get("/login"),
        browser.authorize(lunch),
        browser.log_in(person.username, person.password),
        browser.get("/logout"),
        browser.post("/logout", {"csrf_token": "x"}),
        target.intruder().get("/nowhere"),
    ]
    cookies = [value for reply in replies for name, value in reply.headers if name.lower() == "set-cookie"]

    assert len(cookies) >= 2
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= attributes
        assert not [one for one in attributes if one.startswith("domain")]


@pytest.mark.parametrize("column", ["idle_expires_at", "expires_at"])
def test_se5_the_server_says_when_a_session_is_over(target: Target, lunch: Registered, column: str) -> None:
    person = target.make_account()
    browser = target.visitor(person)
    with target.app.app_context():
        mine = update(BrowserSession).where(BrowserSession.account_id == person.id)
        db.session.execute(mine.values({column: clock.now() - timedelta(seconds=1)}))
        db.session.commit()

    assert not _is_in(browser)
    assert browser.authorize(lunch, prompt="none").query["error"] == "login_required"


@pytest.mark.parametrize(
    "way", ["GET", "GET with nonsense", "POST of another site", "POST without proof", "HEAD", "in a picture"]
)
def test_lo3_nobody_is_logged_out_without_asking(target: Target, way: str) -> None:
    browser = target.visitor()
    cross = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    match way:
        case "GET":
            browser.get("/logout")
        case "GET with nonsense":
            browser.get("/logout", {"confirm": "yes", "csrf_token": "x", "logout_hint": "x", "sid": "x"})
        case "POST of another site":
            browser.post("/logout", {}, headers=cross)
            browser.post("/logout", {"csrf_token": browser.get("/logout").hidden("csrf_token")}, headers=cross)
        case "POST without proof":
            browser.post("/logout", {"csrf_token": "k1.AAAA"})
        case "HEAD":
            browser.send("HEAD", "/logout")
        case _:
            browser.get("/logout", headers={"Sec-Fetch-Dest": "image", **cross})
    assert _is_in(browser)


@pytest.mark.parametrize("end", ["log-out", "disable", "temporary password", "another log-in"])
def test_lo5_a_cookie_of_before_is_worth_nothing(target: Target, lunch: Registered, end: str) -> None:
    person = target.make_account()
    browser = target.visitor(person)
    kept = dict(browser.jar)
    with target.app.app_context():
        if end == "disable":
            people.disable(person.username, actor_id=None, now=clock.now())
        elif end == "temporary password":
            people.issue_temporary_password(person.username, actor_id=None, now=clock.now())
    if end == "log-out":
        browser.post("/logout", {"csrf_token": browser.get("/logout").hidden("csrf_token")})
    elif end == "another log-in":
        other = target.make_account()
        sealed = browser.authorize(lunch, prompt="login").query["continue"]
        assert browser.log_in(other.username, other.password, {"continue": sealed}).status == 303

    replayed = _with(target, kept)
    assert not _is_in(replayed)
    assert replayed.authorize(lunch, prompt="none").query["error"] == "login_required"


_HEADERS = [
    "X-Forwarded-For",
    "X_Forwarded_For",
    "x-forwarded_for",
    "X-Real-IP",
    "Forwarded",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-Forwarded-For",
]


@pytest.mark.parametrize("name", _HEADERS)
def test_th3_a_header_gives_no_budget_of_its_own(target: Target, name: str) -> None:
    person, browser = target.make_account(), target.intruder()
    values = ["203.0.113.{}", "a", "::1", "\xff{}", "for=10.0.0.{};by=x", ",,,", "10.0.0.{}, 127.0.0.1"]
    statuses = [
        browser.log_in(person.username, "wrong", headers={name: values[number % 7].format(number)}).status
        for number in range(7)
    ]

    assert statuses == [422] * 5 + [429] * 2
    client = target.make_client()
    wrong = Registered(client.id, client.client_id, "x" * 43, client.redirect_uri, "")
    assert [browser.redeem(wrong, "x").status for _ in range(12)] == [401] * 10 + [429] * 2
    for path in ("/admin", "/metrics"):
        assert browser.get(path, headers={name: "127.0.0.1"}).status in {303, 404, 200}
    with target.app.app_context():
        addresses = set(db.session.scalars(select(AuditEvent.address).where(AuditEvent.account_id == person.id)))
        assert addresses == {"127.0.0.1"}


_WRITTEN: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "title": str.title,
    "spaces around": lambda name: f"  {name}\t",
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "composed": lambda name: unicodedata.normalize("NFC", name),
    "wide": lambda name: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in name),
    "no-break space": lambda name: f"{name}\u00a0",
}


def test_th5_a_username_has_one_counter_however_it_is_written(target: Target) -> None:
    person, browser = target.make_account(username="zoë.kowalska5"), target.intruder()
    statuses = [browser.log_in(write(person.username), "wrong").status for write in _WRITTEN.values()]

    assert statuses == [422] * 5 + [429] * 2
    assert browser.log_in(person.username, person.password).status == 429


@pytest.mark.parametrize("parallel", [2, 12])
def test_th5_tries_at_once_share_one_budget(target: Target, parallel: int) -> None:
    person = target.make_account()
    with ThreadPoolExecutor(parallel) as pool:
        statuses = list(pool.map(lambda _: target.intruder().log_in(person.username, "wrong").status, range(15)))

    assert statuses.count(422) <= 5
    assert set(statuses) <= {422, 429, 503}


def test_th9_pw9_the_other_doors_count_too(target: Target) -> None:
    person = target.make_account(role=ADMIN)
    browser = target.visitor(person)
    with target.app.app_context():
        mine = update(BrowserSession).where(BrowserSession.account_id == person.id)
        db.session.execute(mine.values(auth_time=clock.now() - timedelta(minutes=11)))
        db.session.commit()
    token = browser.get("/reauthenticate").hidden("csrf_token")
    doors: list[tuple[str, dict[str, str]]] = [
        ("/reauthenticate", {"password": "wrong"}),
        ("/admin/clients/new", {"current_password": "wrong", "client_name": "x"}),
    ] * 10
    statuses = [browser.post(path, {"csrf_token": token, **form}).status for path, form in doors]

    assert statuses == [422] * 5 + [429] * 15
    assert browser.post("/reauthenticate", {"csrf_token": token, "password": person.password}).status == 429


@pytest.mark.parametrize("tries", [1, 6])
def test_th14_th16_nobody_learns_who_exists(target: Target, tries: int) -> None:
    known, disabled, temporary = (target.make_account() for _ in range(3))
    empty = target.make_account(password=None)
    with target.app.app_context():
        people.disable(disabled.username, actor_id=None, now=clock.now())
        people.issue_temporary_password(temporary.username, actor_id=None, now=clock.now())
    seen = {}
    for username in (
        known.username,
        "nobody.at.all",
        disabled.username,
        temporary.username,
        empty.username,
        "\0",
        "x" * 90,
    ):
        browser = target.intruder()
        for _ in range(tries):
            reply = browser.log_in(username, PASSWORD if username == disabled.username else "wrong")
        shown = reply.text.replace(reply.hidden("csrf_token"), "").replace(f'value="{username}"', 'value=""')
        names = tuple(sorted(name.lower() for name, _ in reply.headers))
        seen[username] = (reply.status, names, sorted(browser.jar), shown if username != "\0" else "")
        assert ("retry-after" in names) == (tries > 5)
        assert reply.header("cache-control") == "no-store"
    answers = {repr(answer) for name, answer in seen.items() if name != "\0"}

    assert len(answers) == 1, "one answer for all"
    assert {value[:2] for value in seen.values()} == {seen[known.username][:2]}


def _issue(target: Target, person: Person) -> str:
    with target.app.app_context():
        issued = people.issue_temporary_password(person.username, actor_id=None, now=clock.now())
        assert isinstance(issued, WithTemporaryPassword), issued
        return issued.temporary_password


def _set_up(browser: Intruder, password: str) -> int:
    page = browser.get("/setup/password")
    form = {"csrf_token": page.hidden("csrf_token"), "new_password": password}
    return browser.post("/setup/password", form).status


_POLISH = "żółta łódka pływa po jeziorze"
_PLAIN = "theriverbendstwicebelowthemillandcarriesleavesbeyondtheoldorchar"
_LONG = "".join(chr(97 + number * 7 % 26) for number in range(100))


@pytest.mark.parametrize(
    ("chosen", "opening", "not_opening"),
    [
        (_LONG, [_LONG], [_LONG[:72], _LONG[:99], _LONG[:72] + "X" + _LONG[73:], _LONG[:99] + "X", _LONG + "a"]),
        (_POLISH, [unicodedata.normalize("NFD", _POLISH)], ["zolta lodka plywa po jeziorze"]),
        ("  spaces at both ends  ", ["  spaces at both ends  "], ["spaces at both ends", " spaces at both ends "]),
        (_PLAIN, [_PLAIN], [_PLAIN.capitalize(), _PLAIN[:63], ""]),
        ("💣🎻🏡🚌🍎📚✏️🖍️🎒🚸🏫🧮🔬🎨🎭", ["💣🎻🏡🚌🍎📚✏️🖍️🎒🚸🏫🧮🔬🎨🎭"], ["💣" * 15]),
    ],
    ids=["PW1 a hundred letters", "PW5 composed and not", "spaces", "PW7 64 letters", "pictures"],
)
def test_pw1_pw5_pw7_a_password_counts_to_its_last_letter(
    target: Target, chosen: str, opening: list[str], not_opening: list[str]
) -> None:
    person = target.make_account(password=None)
    browser = target.intruder()
    assert browser.log_in(person.username, _issue(target, person)).location == "/setup/password"
    assert _set_up(browser, chosen) == 303
    assert _is_in(browser)
    for wrong in not_opening:
        assert target.intruder().log_in(person.username, wrong).status == 422, wrong
        target.forgive()
    for right in opening:
        assert target.intruder().log_in(person.username, right).status == 303, right


@pytest.mark.parametrize(
    "chosen",
    [
        "abcdefgh\0ijklmnopq",
        "\0" * 20,
        "password1234567",
        "aaaaaaaaaaaaaaa",
        "123456789012345",
        "district207portal",
        "short",
        "",
        "a" * 129,
        "ż" * 600,
        "parent portal parent portal",
        "qwertyuiopasdfg",
    ],
    ids=repr,
)
def test_pw3_pw7_a_password_that_will_not_do_is_refused_with_a_reason(target: Target, chosen: str) -> None:
    person = target.make_account(password=None)
    browser = target.intruder()
    browser.log_in(person.username, _issue(target, person))

    assert _set_up(browser, chosen) in {400, 422}
    assert not _is_in(browser)
    assert target.intruder().log_in(person.username, chosen).status in {400, 422}


def test_tp1_no_code_and_no_page_before_the_new_password(target: Target, lunch: Registered) -> None:
    person = target.make_account(password=None)
    browser = target.intruder()
    sealed = browser.authorize(lunch).query["continue"]
    reply = browser.log_in(person.username, _issue(target, person), {"continue": sealed})

    assert reply.location.startswith("/setup/password?")
    for path in ("/oauth/authorize/continue", "/consent", "/select-account", "/login", "/account", "/"):
        assert "code=" not in browser.get(path, {"continue": sealed}).location
    assert browser.authorize(lunch, prompt="none").query["error"] == "login_required"
    assert not _is_in(browser)
    with target.app.app_context():
        count = select(func.count()).select_from(BrowserSession).where(BrowserSession.account_id == person.id)
        assert db.session.scalar(count) == 0


@pytest.mark.parametrize("why", ["expired", "used", "issued again", "account disabled", "own password set"])
def test_tp3_a_temporary_password_that_is_over_opens_nothing(target: Target, why: str) -> None:
    person = target.make_account(password=None)
    temporary = _issue(target, person)
    opened = target.intruder()
    assert opened.log_in(person.username, temporary).location == "/setup/password"
    with target.app.app_context():
        match why:
            case "expired":
                gone = {"temporary_password_expires_at": clock.now() - timedelta(seconds=1)}
                db.session.execute(update(Account).where(Account.id == person.id).values(gone))
            case "issued again":
                people.issue_temporary_password(person.username, actor_id=None, now=clock.now())
            case "account disabled":
                people.disable(person.username, actor_id=None, now=clock.now())
            case "own password set":
                accounts.store_password(accounts.get(person.id), passwords.hash_password(PASSWORD), clock.now())
        db.session.commit()
    if why == "used":
        assert _set_up(opened, "another long password of mine") == 303

    assert target.intruder().log_in(person.username, temporary).status == 422
    if why in {"issued again", "account disabled"}:
        assert opened.get("/setup/password").status == 303, "and the page that was open is closed"
