"""Every page and every command, driven with secrets that are known by sight: none turns up where it does not belong."""

import contextlib
import json
import re
import subprocess
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.app import create_app
from idp.database import Base, db
from idp.mail import service as mail
from idp.mail.models import OutboxMessage
from idp.settings import PACKAGE, Settings
from tests import servers
from tests.answers import Answer
from tests.attacks.over_http.conftest import CALLBACK, VERIFIER, Intruder, Target
from tests.databases import Databases, with_database
from tests.factories import Registered
from tests.listeners import Handler, listening
from tests.programs import variables

_DATABASE_PASSWORD = "dbpassword-Kx7Qn2Vw9"
_WRONG, _CHOSEN = "typed-wrongly-Hb3Zt8Mf", "chosen-by-the-parent-Rw5Yc1Ld"
_FILES = ("IDP_SECRETS_WRAPPING_KEYS", "IDP_SECRETS_PEPPERS", "IDP_SECRETS_AUDIT_KEYS", "IDP_DATABASE_URL")


@dataclass
class Watched:
    """What runs, and what has been said so far, by the name of who said it."""

    target: Target
    environment: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    callback: str = ""
    """Where an application of this test is told of log-outs."""
    notices: list[str] = field(default_factory=list)
    """What it was told."""
    client_id: str = ""

    def type(self, *arguments: str, typed: str = "") -> dict[str, Any]:
        """Run a command as an operator does, keep what it prints, and return that if it is JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            env=self.environment,
            cwd=PACKAGE.parent,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        name = f"idp {' '.join(arguments[:2])}"
        self.said[name] = self.said.get(name, "") + done.stdout + done.stderr
        return dict(json.loads(done.stdout)) if "--json" in arguments else {"code": done.returncode}

    def keep(self, name: str, reply: Answer) -> Answer:
        """Keep what an answer says, its address apart: a code and a sealed request travel in one by design."""
        self.said[f"page {name}"] = _CARRIED.sub("", reply.text) if reply.location else reply.text
        self.said[f"headers of {name}"] = str([pair for pair in reply.headers if pair[0].lower() not in _CARRYING])
        self.said[f"address of {name}"] = _CARRIED.sub("", reply.location)
        return reply

    def found(self) -> set[tuple[str, str]]:
        """Return which secret turned up where."""
        return {
            (secret, place)
            for place, text in self.said.items()
            for secret, value in self.secrets.items()
            if value in text or b64encode(value.encode()).decode().rstrip("=") in text
        }


_CARRYING = {"location", "set-cookie"}
_CARRIED = re.compile(r"(?<=[?&;])(code|continue)=[A-Za-z0-9._-]*")


@pytest.fixture
def watched(session_settings: Settings, all_databases: Databases, tmp_path: Path) -> Iterator[Watched]:
    """A provider and a worker on PostgreSQL, as talkative as can be, with all their secrets in files."""
    with all_databases.new("postgresql") as url, _listener() as (address, notices):
        told = make_url(url).set(password=_DATABASE_PASSWORD).render_as_string(hide_password=False)
        port = servers.free_ports(1)
        origin = f"http://localhost:{port}"
        server = replace(
            session_settings.server, issuer=origin, port=port, log_level="DEBUG", outbound_allowed=(address,)
        )
        settings = replace(with_database(session_settings, told), server=server)
        environment = _in_files(variables(settings), tmp_path)
        command = ["-m", "idp", "serve", "--workers", "2", "--with-worker"]
        with servers.program(command, environment, origin, "/readyz", tmp_path / "log") as running:
            app = create_app(settings)
            seen = Watched(Target(origin, app, running), environment, callback=address, notices=notices)
            seen.secrets |= {"database password": _DATABASE_PASSWORD, "wrong password": _WRONG, "password": _CHOSEN}
            for name in _FILES[:3]:
                seen.secrets[name] = Path(environment[f"{name}_FILE"]).read_text().partition(":")[2]
            yield seen
            with app.app_context():
                db.engine.dispose()


def _in_files(environment: dict[str, str], folder: Path) -> dict[str, str]:
    for name in _FILES:
        path = folder / name.lower()
        path.write_text(environment.pop(name))
        path.chmod(0o600)
        environment[f"{name}_FILE"] = str(path)
    return environment


class _Listener(Handler):
    """An application's address for log-out notices."""

    notices: list[str]

    def answer(self) -> None:
        """Take a notice."""
        self.notices.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()


@contextlib.contextmanager
def _listener() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of an application that is told of log-outs, and what it was told."""
    notices: list[str] = []
    with listening(type("Listener", (_Listener,), {"notices": notices})) as port:
        yield f"http://127.0.0.1:{port}", notices


def test_no_secret_turns_up_where_it_does_not_belong(watched: Watched) -> None:
    _commands(watched)
    browser = _parent(watched)
    _flow(watched, browser)
    _console(watched)
    _log_out(watched, browser)
    _forgotten(watched)
    for arguments in (
        ("audit", "verify"),
        ("doctor",),
        ("prune",),
        ("keys", "list"),
        ("client", "list"),
        ("account", "list"),
    ):
        watched.type(*arguments)
    watched.said["log"] = watched.target.running.lines
    watched.said["metrics"] = browser.get("/metrics").text
    watched.said |= _processes(watched.target.running.process.pid)

    assert len(watched.notices) == 1
    assert watched.secrets["code"] != watched.secrets["access token"]
    assert '"endpoint": "protocol.issue_token"' in watched.said["log"]
    assert watched.found() == {
        ("temporary password", "idp account add"),
        ("client secret", "idp client add"),
        ("client secret of the console", "page registered"),
        ("access token", "page token"),
        ("ID token", "page token"),
    }, "each on the one page, or in the one command, where it is shown"


def _commands(watched: Watched) -> None:
    added = watched.type("account", "add", "nora.newcomer", "--name", "Nora Newcomer", "--json")
    watched.secrets["temporary password"] = added["temporary_password"]
    told = ["--backchannel-logout-uri", f"{watched.callback}/logout", "--json"]
    client = watched.type("client", "add", "Lunch", "--redirect-uri", CALLBACK, *told)
    watched.secrets["client secret"], watched.client_id = client["client_secret"], client["client_id"]
    for wrong in (
        ("account", "add", "nora.newcomer", "--name", "x"),
        ("client", "show", "nobody"),
        ("account", "show", "x"),
    ):
        watched.type(*wrong)
    watched.type("client", "show", watched.client_id)


def _parent(watched: Watched) -> Intruder:
    browser = watched.target.intruder()
    watched.keep("log-in refused", browser.log_in("nora.newcomer", _WRONG))
    watched.keep("log-in", browser.log_in("nora.newcomer", watched.secrets["temporary password"]))
    page = watched.keep("setup", browser.get("/setup/password"))
    form = {"csrf_token": page.hidden("csrf_token"), "new_password": "short-" + _WRONG[:3]}
    watched.keep("setup refused", browser.post("/setup/password", form))
    assert watched.keep("setup done", browser.post("/setup/password", form | {"new_password": _CHOSEN})).status == 303
    _enter_address(watched, browser)
    watched.secrets |= {"session": browser.jar["idp_session"], "browser": browser.jar["idp_browser"]}
    for path in ("/", "/account", "/help", "/support", "/support/ticket", "/logout", "/nowhere"):
        watched.keep(path, browser.get(path))
    return browser


def _enter_address(watched: Watched, browser: Intruder) -> None:
    """Enter a security email, and verify it by the link in the mail, whose code is then worthless."""
    page = watched.keep("setup of the address", browser.get("/setup/security-email"))
    form = {"csrf_token": page.hidden("csrf_token"), "email": "nora@example.net", "current_password": _WRONG}
    watched.keep("address refused", browser.post("/setup/security-email", form))
    done = browser.post("/setup/security-email", form | {"current_password": _CHOSEN})
    assert watched.keep("address kept", done).status == 303
    watched.keep("mail sent", browser.get("/account/security-email/sent"))
    with watched.target.app.app_context():
        content = mail.opened(db.session.scalars(select(OutboxMessage)).one())
    assert content is not None
    token, code = re.search(r"token=(\S+)", content.text), re.search(r"^(\d{4}) (\d{4})$", content.text, re.MULTILINE)
    assert token is not None
    assert code is not None
    watched.secrets |= {"token of a link": token[1], "code in a mail": code[1] + code[2], "code as it is read": code[0]}
    for _twice in range(2):
        watched.keep("link", browser.get("/verify-email", {"token": token[1]}))
        page = watched.keep("page of the link", browser.get("/verify-email"))
        if page.status == 200:
            form = {"csrf_token": page.hidden("csrf_token")}
            assert watched.keep("verified", browser.post("/verify-email", form)).status == 303
    for path in ("/account/settings", "/account/security-email", "/account/history"):
        watched.keep(path, browser.get(path))


def _flow(watched: Watched, browser: Intruder) -> None:
    client = Registered(uuid.UUID(int=0), watched.client_id, watched.secrets["client secret"], CALLBACK, "Lunch")
    asked = watched.keep("authorize", browser.authorize(client))
    watched.secrets["sealed request"] = asked.query["continue"]
    page = browser.follow(asked)
    watched.said["page consent"] = page.text.replace(page.hidden("continue"), "")
    form = {"csrf_token": page.hidden("csrf_token"), "continue": page.hidden("continue"), "decision": "allow"}
    watched.secrets["code"] = watched.keep("consent given", browser.post("/consent", form)).query["code"]
    wrong = replace(client, secret=_WRONG)
    watched.keep("wrong secret", browser.redeem(wrong, watched.secrets["code"]))
    given = json.loads(watched.keep("token", browser.redeem(client, watched.secrets["code"])).body)
    watched.secrets |= {"access token": given["access_token"], "ID token": given["id_token"], "verifier": VERIFIER}
    watched.keep("userinfo", browser.userinfo(given["access_token"]))
    watched.keep("userinfo refused", browser.userinfo(given["access_token"] + "x"))
    watched.keep("code again", browser.redeem(client, watched.secrets["code"]))


def _console(watched: Watched) -> None:
    typed = ["ada.admin", "--role", "admin", "--name", "Ada Admin", "--security-email", "ada@example.org", "--json"]
    added = watched.type("account", "add", *typed)
    browser = watched.target.intruder()
    browser.log_in("ada.admin", added["temporary_password"])
    form = {"csrf_token": browser.get("/setup/password").hidden("csrf_token"), "new_password": _CHOSEN}
    assert browser.post("/setup/password", form).status == 303
    page = watched.keep("new", browser.get("/admin/clients/new"))
    form = {name: page.hidden(name) for name in ("csrf_token", "form_token")}
    form |= {"client_name": "Bus", "redirect_uris": CALLBACK, "require_pkce": "yes", "owner": "other"}
    form |= {"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "RS256"}
    watched.keep("new refused", browser.post("/admin/clients/new", form | {"redirect_uris": "x"}))
    registered = watched.keep("registered", browser.post("/admin/clients/new", form))
    plain = registered.text.replace(page.hidden("csrf_token"), "")
    secret = re.search(r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_.-])", plain)
    assert secret is not None, plain
    watched.secrets["client secret of the console"] = secret[0]
    watched.keep("registered twice", browser.post("/admin/clients/new", form))
    for path in ("", "/edit", "/rotate-secret", "/disable", "/remove"):
        watched.keep(f"client{path}", browser.get(f"/admin/clients/{watched.client_id}{path}"))
    watched.keep("clients", browser.get("/admin/clients"))


def _log_out(watched: Watched, browser: Intruder) -> None:
    hint = {"id_token_hint": watched.secrets["ID token"]}
    watched.keep("log-out", browser.get("/logout", hint))
    for _ in range(200):
        if watched.notices:
            break
        time.sleep(0.05)


def _forgotten(watched: Watched) -> None:
    """What is mailed is in the mail alone: a link, its code, a temporary password."""
    with watched.target.app.app_context():
        account = accounts.find_by_username("nora.newcomer")
        assert account
        account.email = "nora@example.org"
        security_emails.set_verified(account.id, "nora.recovers@example.org", clock.now())
        db.session.commit()
    browser = watched.target.intruder()
    form = {"csrf_token": browser.get("/login").hidden("csrf_token")}
    page = watched.keep("forgot", browser.post("/forgot-password", form | {"username": "nora.newcomer"}))
    text = _mail(watched, "recovery/reset")
    watched.secrets["link"] = text.partition("?token=")[2].split()[0]
    code = re.search(r"^(\d{4}) (\d{4})$", text, re.MULTILINE)
    assert code
    watched.secrets |= {"code of the mail": code[1] + code[2], "code as it is written": code[0]}
    watched.secrets["handle"] = page.hidden("handle")
    watched.said["page forgot"] = page.text.replace(page.hidden("handle"), "")
    wrong = form | {"handle": page.hidden("handle"), "code": "x"}
    refused = browser.post("/forgot-password/code", wrong)
    watched.said["page code refused"] = refused.text.replace(page.hidden("handle"), "")
    watched.keep("link", browser.get("/reset-password", {"token": watched.secrets["link"]}))
    form["link"] = watched.keep("reset", browser.get("/reset-password")).hidden("link")
    watched.keep("reset refused", browser.post("/reset-password", form | {"new_password": _WRONG[:3]}))
    assert watched.keep("reset done", browser.post("/reset-password", form | {"new_password": _CHOSEN})).status == 303
    watched.type("account", "temporary-password", "nora.newcomer", "--mail", "--json")
    text = _mail(watched, "recovery/temporary_password")
    watched.secrets["temporary password of the mail"] = text.partition("Temporary password: ")[2].split()[0]
    watched.keep("log-in by mail", browser.log_in("nora.newcomer", watched.secrets["temporary password of the mail"]))
    watched.type("mail", "list")


def _mail(watched: Watched, kind: str) -> str:
    """Return what a message says, once the worker has written it."""
    for _ in range(200):
        with watched.target.app.app_context():
            found = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind)).first()
            content = mail.opened(found) if found else None
            if content:
                return content.text
        time.sleep(0.05)
    raise AssertionError(f"no mail {kind}")


def _processes(pid: int) -> dict[str, str]:
    """Return command line and environment of a process and of all below it."""
    found = {}
    for one in [pid, *_below(pid)]:
        for what in ("cmdline", "environ"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found[f"{what} of {one}"] = Path(f"/proc/{one}/{what}").read_bytes().decode("utf-8", "replace")
    assert len(found) >= 6, "the server, its two processes, the worker"
    return found


def _below(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended since
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [*found, *(below for one in found for below in _below(one))]


_MODELS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: model.__name__)
def test_no_row_tells_in_its_repr_what_it_holds(model: type[Base]) -> None:
    columns = {column.key for column in model.__mapper__.column_attrs} - {"id", "client_id"}
    row = model(**dict.fromkeys(columns, _CHOSEN))

    assert _CHOSEN not in repr(row)
    assert _CHOSEN not in f"{row} {[row]}"
