"""The wheel alone, in an environment of its own far from the checkout, is a whole provider."""

import http.client
import os
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idp.settings import PACKAGE, Settings
from tests import servers
from tests.databases import with_database
from tests.programs import variables

_CHECKOUT = PACKAGE.parent
_WATCH = """
import sys
checkout, installed, found = {checkout!r}, {installed!r}, {found!r}
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = arguments[0]
        if path.startswith(checkout) and not path.startswith(installed):
            with open(found, "a") as file:
                file.write(path + chr(10))
sys.addaudithook(watch)
"""


class Installed:
    """An environment that has the wheel, and the packages it needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "environment" / "bin" / "python"
        self.idp = folder / "environment" / "bin" / "idp"
        self.read_from_checkout = folder / "read-from-checkout"
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()

    def install(self) -> None:
        """Build the wheel, and install it beside the packages that the tests' own environment has."""
        wheels = self.folder / "wheels"
        _call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(_CHECKOUT))
        venv.create(self.folder / "environment")
        (wheel,) = wheels.iterdir()
        pip = (sys.executable, "-m", "pip", "--python", str(self.python), "install", "--no-index", "--no-deps")
        _call(*pip, "--quiet", str(wheel))
        packages = Path(self.python.parent.parent / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages")
        # What a .pth file names is searched, but the .pth files in there, the checkout's among them, are not read.
        (packages / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
        watch = _WATCH.format(checkout=f"{_CHECKOUT}/", installed=sys.prefix + "/", found=str(self.read_from_checkout))
        (packages / "sitecustomize.py").write_text(watch)

    def environment(self, settings: Settings) -> dict[str, str]:
        """Return what a process needs that knows nothing of the checkout."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.elsewhere)} | variables(settings)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = Installed(tmp_path_factory.mktemp("wheel"))
    made.install()
    return made


@pytest.fixture
def configured(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a provider on a free port and a database that does not exist yet."""
    port = servers.free_ports(1)
    server = replace(settings.server, issuer=f"http://localhost:{port}", port=port, workers=1)
    district = replace(settings.district, languages=("en", "es"))
    return replace(with_database(settings, f"sqlite:///{tmp_path}/data/idp.db"), server=server, district=district)


@pytest.fixture
def serving(installed: Installed, configured: Settings, tmp_path: Path) -> Iterator[Settings]:
    """`idp serve --with-worker`, run in an empty folder."""
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed.idp, "serve", "--with-worker"],
            env=installed.environment(configured),
            cwd=installed.elsewhere,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while _get(configured, "/readyz")[0] != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield configured
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_it_serves_pages_with_their_files_and_reads_nothing_of_the_checkout(
    serving: Settings, installed: Installed
) -> None:
    status, page = _get(serving, "/login")
    stylesheets = [part.split('"')[0] for part in page.split('href="')[1:] if ".css" in part.split('"')[0]]

    assert status == 200
    assert "District 207" in page, "config/district.toml came along"
    assert stylesheets
    assert "How do I change my password?" in _get(serving, "/help")[1], "config/help came along"
    assert "Iniciar sesión" in _get(serving, "/login", language="es")[1], "and so did the translators' words"
    assert [_get(serving, address.replace("&amp;", "&"))[0] for address in stylesheets] == [200] * len(stylesheets)
    assert _get(serving, "/.well-known/openid-configuration")[0] == 200
    assert _get(serving, "/oauth/jwks")[0] == 200
    assert not installed.read_from_checkout.exists(), installed.read_from_checkout.read_text()


def test_its_commands_work_and_the_doctor_finds_no_problem(
    serving: Settings, installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "data").chmod(0o700)
    for arguments in (["db", "current"], ["account", "add", "somebody"], ["audit", "verify"], ["doctor"]):
        deadline = time.monotonic() + 20
        while True:
            result = subprocess.run(
                [installed.idp, *arguments],
                env=installed.environment(serving),
                cwd=installed.elsewhere,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            if result.returncode == 0 or time.monotonic() > deadline:
                break  # the worker takes a second or two to show that it is alive
        assert result.returncode == 0, result.stdout + result.stderr
    assert list(installed.elsewhere.iterdir()) == [], "it leaves nothing where it was started"


def test_its_demo_runs_the_provider_alone_and_says_so(
    installed: Installed, configured: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "demo.log"
    arguments = ["demo", "--port", str(configured.server.port), "--instance", str(tmp_path / "instance")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed.idp, *arguments],
            env={"PATH": os.environ["PATH"], "IDP_PASSWORDS_BCRYPT_COST": "4"},
            cwd=installed.elsewhere,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "instance" / "demo.json").exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert _get(configured, "/login")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert "the provider runs alone" in log.read_text()


def _get(settings: Settings, path: str, language: str = "en") -> tuple[int, str]:
    where = urlsplit(settings.server.issuer)
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Accept-Language": language})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""
    finally:
        connection.close()


def _call(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
