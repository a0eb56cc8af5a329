"""Two nodes are started at once on a new database: what there may be once, is made once."""

import subprocess
import sys
import threading

from flask import Flask

from idp.settings import PACKAGE, Settings
from tests.databases import AppBuilder, Databases, with_database
from tests.programs import Commands, variables


def test_two_nodes_make_the_first_signing_keys_once(
    app: Flask, build_app: AppBuilder, database_url: str, settings: Settings
) -> None:
    nodes = [app, build_app(with_database(settings, database_url))]
    both = threading.Barrier(len(nodes))
    seen: list[dict[str, str]] = []

    def ask(node: Flask) -> None:
        both.wait()
        keys = node.test_client().get("/oauth/jwks").get_json()["keys"]
        seen.append({key["kid"]: key["alg"] for key in keys})

    threads = [threading.Thread(target=ask, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert seen[0] == seen[1]
    assert sorted(seen[0].values()) == ["ES256", "EdDSA", "RS256"]


def test_two_nodes_bring_a_new_database_up_to_date_at_once(settings: Settings, all_databases: Databases) -> None:
    with all_databases.new("postgresql", migrated=False) as url:
        here = with_database(settings, url)
        command = [sys.executable, "-m", "idp", "db", "upgrade"]
        started = [
            subprocess.Popen(
                command, env=variables(here), cwd=PACKAGE.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120)[0].decode() for process in started]

        assert [process.returncode for process in started] == [0, 0], said
        assert Commands(here)("db", "current").exit_code == 0
