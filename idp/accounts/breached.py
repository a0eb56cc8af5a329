"""Passwords of known breaches: a new one is looked up in a file, or asked for at a service, where a setting names one.

The service is told five hexadecimal digits of the password's SHA-1 and answers with all that begin so (k-anonymity);
SHA-1 is the form in which such lists are published, and nothing is stored by it. What can't be looked up passes.
"""

import hashlib
import os
import unicodedata

import structlog
from flask_babel import gettext as _

from idp import places, settings
from idp.accounts.passwords import LONGEST_TYPED
from idp.web import metrics, outbound

log = structlog.get_logger(__name__)

_SECONDS = 2.0
_PREFIX = 5
_DIGEST = 40
_LONGEST_LINE = 128
_AFTER = (b":", b"\r", b"")
_HEXADECIMAL = frozenset(b"0123456789ABCDEF")


class LookUpFailed(Exception):
    """The file or the service gave no answer; the message says why, in plain words, and nothing of the password."""


def problem(password: str) -> str | None:
    """Return why a password that is among leaked ones can't be used. Hold no transaction open: a service may be asked.

    While it is, others work on in the request's place. What can't be looked up passes, with a line in the log.
    """
    if not settings.current().passwords.breached:
        return None
    try:
        leaked = is_leaked(password)
    except LookUpFailed as failed:
        log.warning("breached_not_looked_up", reason=str(failed), advice="passwords pass without it: run idp doctor")
        metrics.count_breached_lookup("failed")
        return None
    metrics.count_breached_lookup("leaked" if leaked else "clean")
    words: str | None = None
    if leaked:
        words = _("The password is in a list of stolen passwords. Choose one that you use nowhere else.")
    return words


def is_leaked(password: str) -> bool:
    """Look a password up where [passwords] breached says. Raises LookUpFailed."""
    composed = unicodedata.normalize("NFC", password[:LONGEST_TYPED]).encode("utf-8", "surrogatepass")
    digest = hashlib.sha1(composed, usedforsecurity=False).hexdigest().upper()
    source = settings.current().passwords.breached
    with places.lent():
        return _is_in_file(source, digest.encode()) if source.startswith("/") else _is_at_service(source, digest)


def _is_at_service(address: str, digest: str) -> bool:
    prefix, rest = digest[:_PREFIX], digest[_PREFIX:]
    try:
        answer = outbound.get(f"{address}{prefix}", seconds=_SECONDS, headers={"Add-Padding": "true"})
    except outbound.CallFailed as failed:
        raise LookUpFailed(str(failed)) from None
    if answer.status != 200:
        raise LookUpFailed(f"the service answered {answer.status}")
    counts = [line.strip().split(b":") for line in answer.body.splitlines() if line.strip()]
    if not counts or any(len(found) != 2 or not found[1].isdigit() for found in counts):
        raise LookUpFailed("the service answered with no list of SUFFIX:COUNT")
    wanted = rest.encode()
    return any(suffix.upper() == wanted and int(count[:18]) > 0 for suffix, count in counts)  # padding has 0


def _is_in_file(path: str, digest: bytes) -> bool:
    """Search a file of sorted lines by halving. They differ in length, so the one after the middle is looked at."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return _search(descriptor, os.fstat(descriptor).st_size, digest)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LookUpFailed(f"the file can't be read: {error.strerror}") from None


def _search(descriptor: int, size: int, digest: bytes) -> bool:
    low, high = 0, size  # a line that begins in low..high is looked for
    while low < high:
        middle = (low + high) // 2
        begins, line = _line_from(descriptor, middle)
        if begins >= high:
            high = middle
            continue
        found = _digest_of(line)
        if found == digest:
            return True
        if found < digest:
            low = begins + 1
        else:
            high = middle
    return False


def _line_from(descriptor: int, position: int) -> tuple[int, bytes]:
    """Return where the first line that begins at a position or after it begins, and the line."""
    start = max(0, position - 1)
    read = os.pread(descriptor, 2 * _LONGEST_LINE, start)
    skipped = read.find(b"\n") + 1 if position > 0 else 0
    if position > 0 and skipped == 0:
        if len(read) == 2 * _LONGEST_LINE:
            raise LookUpFailed("the file has lines that are no SHA-1:COUNT")
        return start + len(read), b""
    return start + skipped, read[skipped:].partition(b"\n")[0]


def _digest_of(line: bytes) -> bytes:
    digest = line[:_DIGEST].upper()
    if len(digest) != _DIGEST or not _HEXADECIMAL.issuperset(digest) or line[_DIGEST : _DIGEST + 1] not in _AFTER:
        raise LookUpFailed("the file has lines that are no SHA-1:COUNT")
    return digest
