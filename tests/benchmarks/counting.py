"""How many statements and commits one run of a script makes, counted inside the process."""

from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse

from idp.database import db
from tests.benchmarks import scripts
from tests.benchmarks.load import Answer
from tests.counted import counted


@dataclass(frozen=True, slots=True)
class Counts:
    """What one operation asks of the database."""

    statements: int
    commits: int


def count(app: Flask, operation: str, values: Mapping[str, Any]) -> Counts:
    """Carry an operation out twice in this process, and count the second time, when everything is known."""
    runs = scripts.repeat(operation, dict(values))
    with app.app_context():
        engine = db.engine
    with redirect_stderr(StringIO()):
        _carry_out(app, next(runs))
        with counted(engine) as spent:
            _carry_out(app, next(runs))
    return Counts(len(spent.statements), spent.commits)


def _carry_out(app: Flask, script: Any) -> None:
    client = Client(app.wsgi_app, use_cookies=False)
    request = next(script)
    while True:
        try:
            request = script.send(_answer(_send(client, request)))
        except StopIteration:
            return


def _send(client: Client, request: bytes) -> TestResponse:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return client.open(target, method=method, headers=headers, data=body or None)


def _answer(response: TestResponse) -> Answer:
    set_cookies = [text.partition(";")[0].partition("=") for text in response.headers.getlist("Set-Cookie")]
    headers = {name.lower(): value for name, value in response.headers.items()}
    cookies = {name: value for name, _, value in set_cookies}
    return Answer(response.status_code, headers, response.data, cookies)
