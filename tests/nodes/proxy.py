"""Debian's nginx with the shipped configuration, of which only the marked lines are changed, as a district would."""

import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idp.settings import PACKAGE
from tests import certificates

SHIPPED = PACKAGE.parent / "config" / "nginx.conf"
NAME = "localhost"
_MARK = "# yours"
_START_SECONDS = 20

# What Debian's own nginx.conf says around the shipped file: all of it has to be overruled there.
_AROUND = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/around.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log {folder}/around-access.log;
    gzip on;
    include {folder}/idp.conf;
}}
"""


Changes = dict[str, Callable[[re.Match[str]], str]]
"""What becomes of a marked line, by its pattern."""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its HTTPS and HTTP ports on 127.0.0.1, and the folder with its logs."""

    port: int
    plain_port: int
    folder: Path

    @property
    def origin(self) -> str:
        """The address that browsers use."""
        return f"https://{NAME}:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged so far, errors included."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def trust(self) -> ssl.SSLContext:
        """Return what a browser needs to believe its certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))


@contextmanager
def nginx(
    folder: Path, ports: tuple[int, int], nodes: Sequence[int], *, behind_balancer: bool = False, errors: str = "crit"
) -> Iterator[Proxy]:
    """Run nginx on two ports (HTTPS, HTTP) in front of nodes on two others, until the block ends.

    Behind a balancer, it believes X-Forwarded-For from the loopback. errors says how much its log tells of them.
    """
    proxy = Proxy(*ports, folder)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    certificates.make(folder, NAME)
    (folder / "idp.conf").write_text(adapted(proxy, nodes, behind_balancer=behind_balancer, errors=errors))
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    output = folder / "output"
    with output.open("wb") as written:
        command = [_program(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
        process = subprocess.Popen(command, stdout=written, stderr=written)
    try:
        _wait(proxy, process)
        yield proxy
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)


def adapted(proxy: Proxy, nodes: Sequence[int], *, behind_balancer: bool, errors: str) -> str:
    """Return the shipped configuration with its marked lines changed, and nothing else."""
    remaining = list(nodes)
    shipped = SHIPPED.read_text("utf-8").splitlines()
    changes = _changes(proxy, remaining, behind_balancer, errors)
    lines = [_changed(line, changes) if line.endswith(_MARK) else line for line in shipped]
    assert not remaining, "there is a line for each node"
    return "\n".join(lines) + "\n"


def _changed(line: str, changes: Changes) -> str:
    words = line.strip().removesuffix(_MARK).strip()
    for pattern, change in changes.items():
        if found := re.fullmatch(pattern, words):
            return change(found)
    raise AssertionError(f"a marked line that nobody knows: {line}")


def _changes(proxy: Proxy, nodes: list[int], behind_balancer: bool, errors: str) -> Changes:
    folder = proxy.folder
    return {
        r"(server) 127\.0\.0\.1:\d+ (.*)": lambda found: f"{found[1]} 127.0.0.1:{nodes.pop(0)} {found[2]}",
        r"listen \[::\]:.*": lambda _found: "",  # a machine for tests may have no IPv6
        r"listen 80;": lambda _found: f"listen 127.0.0.1:{proxy.plain_port};",
        r"listen 443 (.*)": lambda found: f"listen 127.0.0.1:{proxy.port} {found[1]}",
        r"server_name .*": lambda _found: f"server_name {NAME};",
        r"return 301 .*": lambda _found: f"return 301 {proxy.origin}$request_uri;",
        r"ssl_certificate .*": lambda _found: f"ssl_certificate {folder}/certificate.pem;",
        r"ssl_certificate_key .*": lambda _found: f"ssl_certificate_key {folder}/key.pem;",
        r"access_log \S+ idp;": lambda _found: f"access_log {folder}/idp.log idp;",
        r"error_log \S+ crit;": lambda _found: f"error_log {folder}/idp-error.log {errors};",
        r"#set_real_ip_from .*": lambda _found: "set_real_ip_from 127.0.0.0/8;" if behind_balancer else "",
        r"#(real_ip_header X-Forwarded-For;)": lambda found: found[1] if behind_balancer else "",
    }


def _program() -> str:
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert found, "nginx is missing. Type: apt-get install nginx-light"
    return found


def _wait(proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", proxy.port), timeout=1).close()
        except OSError:
            said = (proxy.folder / "output").read_text()
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        else:
            return
