"""PostgreSQL is restarted under load: whoever comes meanwhile is told so, and all is well again by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp import schema
from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from tests.databases import AppBuilder, Cluster, cluster, with_database
from tests.nodes.conftest import Site, site
from tests.nodes.journey import Patience
from tests.programs import Commands

pytestmark = pytest.mark.long

_STOPS = ("fast", "immediate", "fast")
_DOWN_SECONDS = 2.0
_LOAD_SECONDS = 4.0
_WELL_AGAIN_SECONDS = 30.0
"""As long may an error be seen, from the stop on: two seconds without a database, and what the machine is slow."""
_NOTICES_SECONDS = 100


@pytest.fixture
def careful_cluster() -> Iterator[Cluster]:
    """A server of the test's own, which keeps what it has committed."""
    with cluster(careful=True) as started:
        yield started


@pytest.fixture
def restartable_site(
    session_settings: Settings, careful_cluster: Cluster, tmp_path: Path, build_app: AppBuilder
) -> Iterator[Site]:
    """Two nodes over that server."""
    tmp_path.chmod(0o755)
    careful_cluster.run('CREATE DATABASE "idp"')
    url = careful_cluster.url("idp")
    with create_app(with_database(session_settings, url)).app_context():
        schema.upgrade()
        db.engine.dispose()
    with site(session_settings, url, tmp_path, build_app) as running:
        yield running


def test_postgresql_is_restarted_under_load(restartable_site: Site, careful_cluster: Cluster) -> None:
    nodes, tally = restartable_site.nodes, restartable_site.tally
    families = [node.family() for node in nodes]
    crowd = restartable_site.crowd(6, Patience(reloads=500, seconds=_WELL_AGAIN_SECONDS))
    for mode in _STOPS:
        time.sleep(_LOAD_SECONDS)
        careful_cluster.stop(mode)
        time.sleep(_DOWN_SECONDS)
        careful_cluster.start()
        if crowd.failures:
            break
    time.sleep(_LOAD_SECONDS)
    before = tally.errors.total()
    crowd.wait_for(tally, "log-in", 12)
    since = tally.errors.total() - before
    crowd.finish()
    restartable_site.wait_for_notices(_NOTICES_SECONDS)

    print(f"stopped: {_STOPS}; acknowledged: {dict(tally.acknowledged)}; told: {dict(tally.errors)}")
    assert tally.errors.total() > 0, "it was noticed"
    assert since == 0, "and is over"
    assert [node.family() for node in nodes] == families, "no process was restarted"
    assert Commands(restartable_site.app.config["IDP"])("audit", "verify").exit_code == 0
