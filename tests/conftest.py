"""What tests share: settings, the application on both databases, browsers, people, applications, travel in time."""

import gc
import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from idp import clock
from idp.accounts.models import ADMIN
from idp.app import create_app
from idp.database import db
from idp.settings import DEVELOPMENT, Database, District, NamedKey, Passwords, School, Secrets, Server, Settings
from idp.web import context
from idp.web.context import Origin
from tests import dialects, factories, servers, signing_keys, url_rules, windows
from tests.databases import KINDS, AppBuilder, Databases, with_database
from tests.factories import Person, Registered
from tests.pages import Browser, SeparateClient
from tests.programs import Commands
from tests.windows import Chromium

ISSUER = "http://localhost:5000"

url_rules.compile_once()
signing_keys.find_few()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a hurried person run on one database only."""
    parser.addoption("--database", choices=[*KINDS, "both"], default="both", help="the databases to test on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever needs a database once on each kind."""
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        kinds = list(KINDS) if chosen == "both" else [chosen]
        if metafunc.definition.get_closest_marker("one_database"):
            kinds = kinds[:1]
        metafunc.parametrize("database_kind", kinds, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, or one process would still be at it when the others have nothing left to do."""
    items.sort(key=lambda item: "properties" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is here for good, and look at what a test leaves behind less often.

    Going through all modules and tests took it half a second each time, and a sixth of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 5, 10)


@pytest.fixture(scope="session")
def random_secrets() -> Secrets:
    """Keys that nobody has seen."""

    def key() -> tuple[NamedKey, ...]:
        return (NamedKey("k1", secrets.token_bytes(32)),)

    return Secrets(wrapping_keys=key(), peppers=key(), audit_keys=key())


@pytest.fixture(scope="session")
def session_settings(random_secrets: Secrets) -> Settings:
    """Development's settings with hashes that cost next to nothing, which production refuses."""
    return Settings(
        environment=DEVELOPMENT,
        server=Server(issuer=ISSUER, outbound_allowed=("http://localhost", "http://127.0.0.1")),
        database=Database(url="sqlite:///:memory:"),
        secrets=random_secrets,
        passwords=Passwords(bcrypt_cost=4),
        district=District(
            website="https://district207.example",
            general_faq="https://district207.example/parent-portal-faq",
            support_email="portal-support@district207.example",
            support_phone="847-555-0142",
            support_hours="Monday to Friday, 7:30 am to 4 pm",
            schools=(School("maine-east", "Maine East High School", "#1b4aa0"),),
        ),
    )


@pytest.fixture
def settings(session_settings: Settings, tmp_path: Path) -> Settings:
    """Return settings on an empty SQLite file of the test's own; a test overrules this fixture to change them."""
    return with_database(session_settings, f"sqlite:///{tmp_path}/idp.db")


@pytest.fixture(scope="session")
def all_databases(session_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Whatever databases the run makes."""
    made = Databases(session_settings, tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture
def database_url(all_databases: Databases, database_kind: str) -> Iterator[str]:
    """A database with the newest schema and no rows; the test runs once on SQLite and once on PostgreSQL."""
    with all_databases.new(database_kind) as url:
        yield url


@pytest.fixture
def empty_database_url(all_databases: Databases, database_kind: str) -> Iterator[str]:
    """Likewise, but without any table."""
    with all_databases.new(database_kind, migrated=False) as url:
        yield url


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Compiled once a run, since every test makes its application anew."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def build_app(compiled_templates: FileSystemBytecodeCache) -> Iterator[AppBuilder]:
    """Make an application from settings, for a test that needs others than `app` has, or a second node."""
    made: list[Flask] = []

    def build(settings: Settings) -> Flask:
        app = create_app(settings)
        app.jinja_env.bytecode_cache = compiled_templates
        app.test_client_class = SeparateClient
        with app.app_context():
            dialects.share(db.engine)
        made.append(app)
        return app

    yield build
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(settings: Settings, database_url: str, build_app: AppBuilder) -> Iterator[Flask]:
    """The application on a database of its own; its context is open, so that a test can call services at once."""
    app = build_app(with_database(settings, database_url))
    with app.app_context():
        yield app


@pytest.fixture(autouse=True)
def _at_the_command_line() -> None:
    """Let nothing that a test before has done here be taken for a request of this one's."""
    context.set_origin(Origin("cli"))


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    """Make one more browser, which shares nothing with the others."""
    issuer: str = app.config["IDP"].server.issuer
    return lambda: Browser(app.test_client(), issuer)


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    """A browser that has not been here before."""
    return new_browser()


@pytest.fixture
def idp(app: Flask) -> Commands:
    """Type `idp …` against the application's database."""
    return Commands(app.config["IDP"])


@pytest.fixture
def account(app: Flask) -> Callable[..., Person]:
    """Make accounts: see factories.account."""
    return factories.account


@pytest.fixture
def parent(account: Callable[..., Person]) -> Person:
    """A guardian who has set a password."""
    return account()


@pytest.fixture
def admin(account: Callable[..., Person]) -> Person:
    """Somebody of the district's staff who looks after applications and accounts."""
    return account(role=ADMIN, given_name="Ada", family_name="Okafor")


@pytest.fixture
def client(app: Flask) -> Callable[..., Registered]:
    """Register applications: see factories.client."""
    return factories.client


@pytest.fixture
def travel() -> Callable[[timedelta], AbstractContextManager[None]]:
    """Move the clock while a block runs: `with travel(timedelta(hours=1)):`."""
    return clock.shifted


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A real browser."""
    with windows.chromium() as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the servers that it used have written."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {server.origin}", server.lines[-10_000:]) for server in servers.running]
    return report
