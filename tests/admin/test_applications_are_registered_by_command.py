"""`idp client …` registers and looks after applications."""

import json

import pytest
from sqlalchemy import select

from idp import clock
from idp.audit.models import AuditEvent
from idp.clients import registry, secrets, service
from idp.database import db
from tests.programs import Commands

URI = "https://lunch.example/callback"


def added(idp: Commands, *more: str) -> dict[str, str]:
    done = idp("client", "add", "Lunch Orders", "--redirect-uri", URI, *more, "--json")
    assert done.exit_code == 0, done.stderr
    printed: dict[str, str] = json.loads(done.stdout)
    return printed


def test_an_application_is_added_and_its_secret_printed_once(idp: Commands) -> None:
    printed = added(idp)
    found = registry.find(printed["client_id"])

    assert found is not None
    assert secrets.find(found.client_id, printed["client_secret"], clock.now())[1]
    for command in (("show", printed["client_id"], "--json"), ("list", "--json"), ("show", printed["client_id"])):
        assert printed["client_secret"] not in idp("client", *command).output


def test_every_setting_has_an_option(idp: Commands) -> None:
    printed = added(
        idp,
        *("--redirect-uri", "https://lunch.example/second", "--post-logout-redirect-uri", "https://lunch.example/"),
        *("--scope", "openid email", "--auth-method", "client_secret_post", "--id-token-alg", "ES256"),
        *("--first-party", "--no-pkce", "--description", "Orders lunch.", "--contact", "it@lunch.example"),
        *("--initiate-login-uri", "https://lunch.example/in", "--backchannel-logout-uri", "https://lunch.example/out"),
        *("--client-uri", "https://lunch.example/home", "--logo-uri", "https://lunch.example/logo.png"),
        *("--policy-uri", "https://lunch.example/privacy", "--tos-uri", "https://lunch.example/terms"),
    )
    shown = json.loads(idp("client", "show", printed["client_id"], "--json").stdout)

    assert {name: shown[name] for name in shown if name not in {"client_id", "created_at"}} == {
        "client_name": "Lunch Orders",
        "state": "active",
        "first_party": True,
        "description": "Orders lunch.",
        "redirect_uris": [URI, "https://lunch.example/second"],
        "post_logout_redirect_uris": ["https://lunch.example/"],
        "scope": "openid email",
        "token_endpoint_auth_method": "client_secret_post",
        "id_token_signed_response_alg": "ES256",
        "require_pkce": False,
        "initiate_login_uri": "https://lunch.example/in",
        "backchannel_logout_uri": "https://lunch.example/out",
        "client_uri": "https://lunch.example/home",
        "logo_uri": "https://lunch.example/logo.png",
        "policy_uri": "https://lunch.example/privacy",
        "tos_uri": "https://lunch.example/terms",
        "contacts": ["it@lunch.example"],
        "last_used_at": None,
    }


def test_a_person_reads_plain_lines(idp: Commands) -> None:
    done = idp("client", "add", "Lunch Orders", "--redirect-uri", URI)

    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["client_id", "client_secret", "issuer"]
    assert "Lunch Orders" in idp("client", "list").stdout


def test_a_public_application_has_no_secret(idp: Commands) -> None:
    printed = added(idp, "--auth-method", "none")

    assert "client_secret" not in printed
    done = idp("client", "rotate-secret", printed["client_id"])
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "uri", ["javascript://x/%0aalert(1)", "http://lunch.example/", "https://x.example/#", "https://a@x.example/", "*"]
)
def test_what_the_form_refuses_the_command_refuses(idp: Commands, uri: str) -> None:
    done = idp("client", "add", "Lunch", "--redirect-uri", uri)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("idp: redirect_uris: ")
    assert len(done.stderr.splitlines()) == 1
    assert service.find_all() == []


def test_a_secret_is_rotated_and_the_old_one_stays_for_a_while(idp: Commands) -> None:
    printed = added(idp)
    rotated = json.loads(idp("client", "rotate-secret", printed["client_id"], "--json").stdout)
    found = registry.find(printed["client_id"])

    assert found is not None
    for secret in (printed["client_secret"], rotated["client_secret"]):
        assert secrets.find(found.client_id, secret, clock.now())[1]
    assert rotated["old_client_secret_valid_until"] > clock.now().isoformat()


def test_a_secret_that_became_known_is_ended_at_once(idp: Commands) -> None:
    printed = added(idp)
    idp("client", "rotate-secret", printed["client_id"], "--now")
    found = registry.find(printed["client_id"])

    assert found is not None
    assert not secrets.find(found.client_id, printed["client_secret"], clock.now())[1]


def test_an_application_is_disabled_and_enabled(idp: Commands) -> None:
    client_id = added(idp)["client_id"]

    assert idp("client", "disable", client_id).exit_code == 0
    assert registry.find(client_id) is None
    assert idp("client", "enable", client_id).exit_code == 0
    assert registry.find(client_id) is not None


def test_removing_asks_for_the_name(idp: Commands) -> None:
    client_id = added(idp)["client_id"]

    assert idp("client", "remove", client_id, typed="Lunch\n").exit_code == 1
    assert idp("client", "remove", client_id, typed="").exit_code == 1
    assert registry.find(client_id) is not None
    assert idp("client", "remove", client_id, typed="Lunch Orders\n").exit_code == 0
    assert registry.find(client_id) is None


def test_a_program_removes_without_being_asked(idp: Commands) -> None:
    client_id = added(idp)["client_id"]

    assert idp("client", "remove", client_id, "--yes").exit_code == 0
    assert idp("client", "remove", client_id, "--yes").exit_code == 1


@pytest.mark.parametrize("command", ["show", "rotate-secret", "disable", "enable", "remove"])
@pytest.mark.parametrize("client_id", ["nobody", "é", "x\x00", "' OR 1=1--"], ids=ascii)
def test_an_unknown_application_is_one_line_of_error(idp: Commands, command: str, client_id: str) -> None:
    done = idp("client", command, client_id)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_every_change_is_on_record_without_a_secret(idp: Commands) -> None:
    printed = added(idp)
    client_id = printed["client_id"]
    rotated = json.loads(idp("client", "rotate-secret", client_id, "--json").stdout)
    for command in ("disable", "enable"):
        idp("client", command, client_id)
    idp("client", "remove", client_id, "--yes")

    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.at)).all()
    assert [(event.event, event.client_id, event.source, event.actor_id) for event in events] == [
        (name, client_id, "cli", None)
        for name in (
            "client_add",
            "client_rotate_secret",
            "client_disable",
            "client_enable",
            "client_remove",
        )
    ]
    kept = json.dumps([event.details for event in events])
    assert printed["client_secret"] not in kept
    assert rotated["client_secret"] not in kept


def test_disabling_twice_is_one_event(idp: Commands) -> None:
    client_id = added(idp)["client_id"]
    for _time in range(2):
        assert idp("client", "disable", client_id).exit_code == 0

    told = db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.at)).all()
    assert told == ["client_add", "client_disable"]


@pytest.mark.parametrize("command", ["add", "list", "show", "rotate-secret", "disable", "enable", "remove"])
def test_each_command_explains_itself_with_an_example(idp: Commands, command: str) -> None:
    done = idp("client", command, "--help")

    assert done.exit_code == 0
    assert f"Example:  idp client {command}" in done.stdout
