"""A district may let reCAPTCHA, hCaptcha or Turnstile check who is a robot; one that fails keeps no family out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, make_response
from prometheus_client import parser as metrics_parser

from idp import clock
from idp.captcha import providers
from idp.captcha.providers import Unreachable
from idp.operations import doctor
from idp.operations.finding import OK, PROBLEM
from idp.settings import EMBEDDED, HCAPTCHA, RECAPTCHA, TURNSTILE
from idp.web import headers, metrics
from tests import servers
from tests.captcha import stand_in
from tests.captcha.stand_in import SECRET, SITE_KEY, StandIn

pytestmark = pytest.mark.one_database

ADDRESS = "192.0.2.7"

Choose = Callable[..., None]


@pytest.fixture
def choose(app: Flask) -> Choose:
    """Set [robot_check]."""

    def chosen(provider: str, address: str, **more: Any) -> None:
        configured = app.config["IDP"]
        wanted = {"provider": provider, "site_key": SITE_KEY, "secret": SECRET, "verify_address": address} | more
        app.config["IDP"] = replace(configured, robot_check=replace(configured.robot_check, **wanted))

    return chosen


@pytest.fixture(params=[RECAPTCHA, HCAPTCHA, TURNSTILE])
def service(request: pytest.FixtureRequest, choose: Choose) -> Iterator[StandIn]:
    """Each of the three, chosen by the settings."""
    with stand_in.running(request.param) as started:
        choose(request.param, started.address)
        yield started


def verify(token: str) -> bool | Unreachable:
    return providers.verify(token, ADDRESS, clock.now())


def counted(result: str) -> float:
    families = metrics_parser.text_string_to_metric_families(metrics.exposition().decode())
    samples = [one for family in families for one in family.samples if one.name == "idp_robot_check_lookups_total"]
    return sum(one.value for one in samples if one.labels["result"] == result)


def test_nobody_is_asked_unless_a_setting_says_so(app: Flask) -> None:
    assert app.config["IDP"].robot_check.provider == EMBEDDED
    assert providers.widget(clock.now()) is None
    assert providers.answer_in({"g-recaptcha-response": "x", "cf-turnstile-response": "x"}) == ""
    assert verify("x") is False


def test_a_token_of_the_box_is_good_once(service: StandIn) -> None:
    token = service.give("a-token-of-the-box")

    assert [verify(token), verify(token)] == [True, False]
    (sent, _again) = service.asked
    assert (sent["secret"], sent["response"], sent["remoteip"]) == (SECRET, token, ADDRESS)
    assert (sent.get("sitekey") == SITE_KEY) is (service.kind == HCAPTCHA)


def test_twenty_log_ins_with_one_token_pass_one(service: StandIn) -> None:
    token = service.give("a-token-of-the-box")

    assert [verify(token) for _ in range(20)].count(True) == 1


def test_a_token_that_nobody_was_given_is_refused(service: StandIn) -> None:
    assert verify("made-up") is False
    assert len(service.asked) == 1


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "\0", "ü", "x" * 8193])
def test_what_can_be_no_token_costs_no_call(service: StandIn, token: str) -> None:
    assert verify(token) is False
    assert service.asked == []


def test_a_token_of_another_sites_page_is_refused(service: StandIn) -> None:
    """Whoever shows our site key on a page of theirs has its visitors solve it."""
    service.hostname = "games.example"

    assert verify(service.give("solved-elsewhere")) is False


def _stops_talking(service: StandIn) -> None:
    service.delay = 4


def _answers_a_page(service: StandIn) -> None:
    service.body = b"<html>Log in to the hotel's network</html>"


def _answers_nothing(service: StandIn) -> None:
    service.status, service.body = 503, b""


def _answers_something_else(service: StandIn) -> None:
    service.body = b'{"success": "true"}'


def _answers_a_list(service: StandIn) -> None:
    service.body = b"[true]"


def _answers_without_end(service: StandIn) -> None:
    service.body = b'{"success": true' + b" " * 100_000


def _nests_without_end(service: StandIn) -> None:
    service.body = b"[" * 60_000


def _does_not_know_the_secret(service: StandIn) -> None:
    service.body = b'{"success": false, "error-codes": ["invalid-input-secret"]}'


def _has_a_fault_inside(service: StandIn) -> None:
    service.body = b'{"success": false, "error-codes": ["internal-error"]}'


@pytest.mark.parametrize(
    "fails",
    [
        _stops_talking,
        _answers_a_page,
        _answers_nothing,
        _answers_something_else,
        _answers_a_list,
        _answers_without_end,
        _nests_without_end,
        _does_not_know_the_secret,
        _has_a_fault_inside,
    ],
)
def test_a_service_that_fails_passes_nobody_and_leaves_the_embedded_check(
    app: Flask, choose: Choose, fails: Callable[[StandIn], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody gets in by it; the page has the embedded check for a minute, and then the service is asked again."""
    with stand_in.running(TURNSTILE) as service:
        choose(TURNSTILE, service.address)
        token, before = service.give("a-token-of-the-box"), counted("failed")
        capsys.readouterr()
        assert providers.widget(clock.now()) is not None
        fails(service)

        assert isinstance(verify(token), Unreachable)
        assert providers.widget(clock.now()) is None
        asked = len(service.asked)
        assert isinstance(verify(token), Unreachable)
        assert len(service.asked) == asked, "it is left alone"

        logged = capsys.readouterr().err
        assert logged.count("robot_check_not_asked") == 1
        assert SECRET not in logged
        assert token not in logged
        assert counted("failed") == before + 1
        with clock.shifted(timedelta(seconds=61)):
            assert providers.widget(clock.now()) is not None


def test_a_service_where_nothing_listens_passes_nobody(app: Flask, choose: Choose) -> None:
    choose(HCAPTCHA, f"http://127.0.0.1:{servers.free_ports(1)}/siteverify")

    assert isinstance(verify("a-token-of-the-box"), Unreachable)


def test_a_redirect_is_not_followed(app: Flask, choose: Choose) -> None:
    """What is asked is what was set, or somebody else gets the secret."""
    with stand_in.running(RECAPTCHA) as service:
        service.status = 307
        service.body = b""
        choose(RECAPTCHA, service.address)

        assert isinstance(verify("a-token-of-the-box"), Unreachable)


def test_nobody_turns_the_service_off_with_tokens_that_are_wrong(service: StandIn) -> None:
    for number in range(5):
        assert verify(f"made-up-{number}") is False

    assert providers.widget(clock.now()) is not None


def test_each_result_is_counted(service: StandIn) -> None:
    passed, refused = counted("passed"), counted("refused")

    verify(service.give("a-token-of-the-box"))
    verify("made-up")

    assert (counted("passed"), counted("refused")) == (passed + 1, refused + 1)


def test_the_form_s_field_becomes_an_answer(service: StandIn) -> None:
    widget = providers.widget(clock.now())
    assert widget is not None

    answer = providers.answer_in({widget.service.field: "a-token", "robot_answer": "ours"})

    assert providers.token_in(answer) == "a-token"
    assert providers.token_in("ours") is None
    assert providers.answer_in({"robot_answer": "ours"}) == ""


def test_a_page_allows_the_service_and_other_pages_do_not(app: Flask, service: StandIn) -> None:
    """HD1: the policy is widened by the documented sources, on the page that asks for it."""

    def with_box() -> Any:
        shown = providers.widget(clock.now())
        assert shown is not None
        headers.allow_sources(shown.service.sources)
        return make_response("<html></html>")

    app.add_url_rule("/with-box", view_func=with_box)
    visitor = app.test_client()

    policy = _directives(visitor.get("/with-box").headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    widget = providers.widget(clock.now())
    assert widget is not None
    host = "https://*.hcaptcha.com" if service.kind == HCAPTCHA else widget.service.script.split("/api.js")[0]
    assert any(host.startswith(source.rstrip("/")) for source in policy["script-src"])
    assert policy["frame-src"]
    assert "unsafe" not in str(policy)
    assert policy["form-action"] == policy["font-src"] == ["'self'"]

    policy = _directives(visitor.get("/help").headers["Content-Security-Policy"])
    assert policy["script-src"] == ["'self'"]
    assert "frame-src" not in policy


def test_the_doctor_says_who_checks_and_whether_they_know_us(app: Flask, choose: Choose) -> None:
    assert _doctor() == [(OK, "embedded: nobody else is asked")]
    with stand_in.running(HCAPTCHA) as service:
        choose(HCAPTCHA, service.address)
        assert _doctor() == [(OK, "hcaptcha answers")]

        choose(HCAPTCHA, service.address, secret="of-another-site")
        ((level, words),) = _doctor()
        assert level == PROBLEM
        assert "invalid-input-secret" in words
        assert "of-another-site" not in words

        choose(HCAPTCHA, service.address)
        service.status, service.body = 500, b"oops"
        ((level, words),) = _doctor()
        assert level == PROBLEM
        assert "it answered 500" in words


def test_the_secret_is_in_no_text(app: Flask, choose: Choose) -> None:
    choose(TURNSTILE, "")

    assert SECRET not in repr(app.config["IDP"])
    assert SECRET not in repr(app.config["IDP"].robot_check)


def _doctor() -> list[tuple[str, str]]:
    return [(one.level, one.text) for one in doctor.examine(clock.now()) if one.subject == "robot check"]


def _directives(policy: str) -> dict[str, list[str]]:
    return {name: rest for name, *rest in (part.split() for part in policy.split(";"))}
