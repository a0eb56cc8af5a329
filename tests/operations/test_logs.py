"""IN11: whatever a value holds, it is one line of JSON and nothing else."""

import json
import logging

import pytest
import structlog
from flask import Flask

from idp.settings import Settings
from idp.web import logs


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> None:
    """Log as the provider does."""
    logs.configure(settings)


def test_in11_a_value_can_not_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """IN11: line breaks and terminal commands are escaped."""
    hostile = "a\n2026 CRITICAL log-in ok\r\x1b[31m\u2028"
    structlog.get_logger().info("log_in", username=hostile)
    (line,) = capsys.readouterr().err.splitlines()

    assert json.loads(line)["username"] == hostile
    assert "\x1b" not in line


def test_a_library_s_warning_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some.library").warning("look\nout: %s", "here")
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)

    assert (found["event"], found["logger"], found["level"]) == ("look\nout: here", "some.library", "warning")


def test_authlib_never_prints_what_it_says_while_debugging(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    """AUTHLIB-37: its debug lines hold whole tokens."""
    logging.getLogger("authlib.oauth2").debug("token %s", "secret")
    logging.getLogger("authlib.oauth2").info("token %s", "secret")

    assert capsys.readouterr().err == ""


def test_every_line_of_a_request_carries_its_id(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    @app.get("/says-something")
    def speak() -> str:
        structlog.get_logger().info("something")
        return ""

    answer = app.test_client().get("/says-something")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [line["event"] for line in lines] == ["something", "request"]
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-Id"]}
