"""Every metric is explained, and the alerts that are shipped ask for metrics that a running server has."""

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from idp.settings import PACKAGE
from tests.overload.conftest import Provider
from tests.overload.crowd import HOME, Browser, access_token

_CONFIG = PACKAGE.parent / "config"
_ALERTS = _CONFIG / "alerts.yaml"
_NAME = re.compile(r"\bidp_[a-z_]+")
_TYPE = re.compile(r"^# TYPE (idp_[a-z_]+) (\w+)$", re.MULTILINE)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(_ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def table(header: str) -> list[list[str]]:
    """Return the rows of the table in config/README.md whose first column has this header."""
    text = (_CONFIG / "README.md").read_text("utf-8")
    (body,) = re.findall(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()]


def declared(exposition: str) -> set[tuple[str, str]]:
    """Return each metric's name, as it is asked for, and its kind."""
    found = {(name, kind) for name, kind in _TYPE.findall(exposition) if not name.endswith("_created")}
    return {(name if kind != "counter" or name.endswith("_total") else f"{name}_total", kind) for name, kind in found}


@pytest.mark.one_database
def test_every_metric_is_explained_and_nothing_else(provider: Provider, app: Flask) -> None:
    explained = {(row[0].strip("`"), row[1]) for row in table("Metric")}
    of_the_counters = declared(app.test_client().get("/metrics").text)

    assert explained == of_the_counters | declared(exposed(provider))


def test_the_labels_are_those_that_are_explained(provider: Provider) -> None:
    drive(provider)
    text = exposed(provider)
    explained = {row[0].strip("`"): set(filter(None, row[2].split(", "))) for row in table("Metric")}

    for name, labels in explained.items():
        for found in re.findall(rf"^{name}(?:_bucket|_count)?\{{(.*)\}} ", text, re.MULTILINE):
            assert set(re.findall(r'(\w+)="', found)) - {"le"} == labels, name


def test_alerts_ask_for_what_a_running_server_has(provider: Provider) -> None:
    drive(provider)
    text = exposed(provider)
    there = set(re.findall(r"^(idp_[a-z_]+)", text, re.MULTILINE))

    for rule in rules():
        asked = set(_NAME.findall(rule["expr"]))
        assert asked <= there, rule["alert"]
        assert asked or "up{" in rule["expr"]


def test_every_alert_says_what_to_do_and_is_listed() -> None:
    assert [row[0] for row in table("Alert")] == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert all(rule["annotations"][words].endswith(".") for words in ("summary", "action"))
        commands = re.findall(r"\bidp (?:keys|client|worker|doctor|db|audit)\b", rule["annotations"]["action"])
        for command in commands:
            assert (PACKAGE / "cli.py").read_text("utf-8").find(command.split()[1]) >= 0


def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    """Where Prometheus is installed, its own tool reads them; elsewhere their brackets are balanced at least."""
    if promtool := shutil.which("promtool"):
        checked = subprocess.run([promtool, "check", "rules", _ALERTS], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    for rule in rules():
        assert all(rule["expr"].count(a) == rule["expr"].count(b) for a, b in ("()", "{}", "[]"))


def exposed(provider: Provider) -> str:
    """Return what a running server shows, once its worker has begun to work."""
    deadline = time.monotonic() + 60
    while "idp_worker_silent_seconds" not in (text := Browser(provider.origin).ask("GET", "/metrics").text):
        assert time.monotonic() < deadline, text
        time.sleep(0.5)
    return text


def drive(provider: Provider) -> None:
    """Do a little of everything that is counted."""
    access_token(provider.origin, provider.parent, provider.application)
    stranger = Browser(provider.origin, HOME)
    stranger.log_in("nobody", "a password that is wrong", stranger.open_log_in())
    stranger.log_in("nobody", "a password that is wrong", "no token")
    stranger.ask("POST", "/oauth/token", {"grant_type": "authorization_code", "client_id": "nobody", "code": "x"})
    stranger.ask("GET", "/oauth/userinfo")
    stranger.ask("GET", "/oauth/authorize?client_id=nobody")
