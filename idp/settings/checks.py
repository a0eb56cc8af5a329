"""What makes settings wrong although each value has its type."""

import dataclasses
import ipaddress
import re
import unicodedata
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from idp.settings import key_quality, ranges
from idp.settings.model import (
    EMBEDDED,
    FIRST_BY_LINK,
    FIRST_BY_PASSWORD,
    HCAPTCHA,
    MAILBOX,
    RECAPTCHA,
    STARTTLS,
    TLS,
    TURNSTILE,
    UNENCRYPTED,
    Settings,
    Throttle,
)

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SCHOOL_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SITE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)
_SITE_SECRET = re.compile(r"[!-~]{1,200}")
_DATABASES = {"sqlite", "postgresql", "postgresql+psycopg", "postgres"}
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LONGEST_TEXT = 500


def problems_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return everything that is wrong, a sentence each; none repeats a secret."""
    return [
        *_address_problems(settings),
        *_server_problems(settings),
        *_database_problems(settings),
        *key_quality.problems(settings),
        *ranges.problems(settings),
        *_order_problems(settings),
        *_redis_problems(settings),
        *_breached_problems(settings),
        *_first_problems(settings),
        *_robot_check_problems(settings),
        *_mail_problems(settings),
        *_text_problems(settings),
        *_district_problems(settings),
        *_environment_problems(settings, environ),
    ]


def _address_problems(settings: Settings) -> Iterator[str]:
    written = settings.server.issuer
    issuer = _split(written)
    if issuer is None or not issuer.scheme or not issuer.hostname:
        yield "[server] issuer is not set: the address that browsers use, such as https://login.example.org."
    elif written != f"{issuer.scheme}://{issuer.netloc}" or issuer.username is not None:
        yield "[server] issuer has to be scheme and host alone, with no path and no slash at its end."
    elif written != written.lower():
        yield "[server] issuer has to be in small letters, as browsers write it."
    elif issuer.scheme != "https" and not (settings.is_development and issuer.scheme == "http"):
        yield "[server] issuer has to start with https://."
    for allowed in settings.server.outbound_allowed:
        parts = _split(allowed)
        if parts is None or parts.scheme not in {"http", "https"} or allowed != f"{parts.scheme}://{parts.netloc}":
            yield f"[server] outbound_allowed holds {allowed!r}, which is no address such as http://localhost:5001."


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None when it can't be, which urlsplit tells of a port only when asked for it."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _server_problems(settings: Settings) -> Iterator[str]:
    server = settings.server
    if not server.host or any(character.isspace() for character in server.host):
        yield "[server] host has to be an address to listen on, such as 127.0.0.1."
    if server.log_level not in _LOG_LEVELS:
        yield "[server] log_level has to be DEBUG, INFO, WARNING or ERROR."
    for name in ("admin_networks", "metrics_networks"):
        for network in getattr(server, name):
            try:
                ipaddress.ip_network(network)
            except ValueError:
                yield f"[server] {name} holds {network!r}, which is no network such as 10.0.0.0/8."


def _database_problems(settings: Settings) -> Iterator[str]:
    """Tell what is wrong with the database's address, without repeating it: it may hold a password."""
    from sqlalchemy.engine import make_url  # loaded late: a command's --help need not wait for it
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(settings.database.url)
    except (ArgumentError, ValueError):
        yield "[database] url has to be an address such as sqlite:///instance/idp.db or postgresql://idp@host/idp."
        return
    if url.drivername not in _DATABASES:
        yield "[database] url has to start with sqlite:/// or postgresql://."
    elif url.drivername != "sqlite":
        if not url.database:
            yield "[database] url names no database: postgresql://user@host/NAME."
    elif url.database in {None, "", ":memory:"} and not settings.is_development:
        yield "[database] url names no file: everything would be gone with the process."


def _order_problems(settings: Settings) -> Iterator[str]:
    """Tell numbers that don't fit each other."""
    if settings.passwords.minimum_length > settings.passwords.maximum_length:
        yield "[passwords] minimum_length has to be maximum_length at most."
    if settings.throttle.account_wait_seconds > settings.throttle.account_longest_wait_seconds:
        yield "[throttle] account_wait_seconds has to be account_longest_wait_seconds at most."
    yield from _ladder_problems(settings.throttle)
    if settings.keys.publish_ahead_days >= settings.keys.rotate_days:
        yield "[keys] publish_ahead_days has to be below rotate_days."


def _ladder_problems(throttle: Throttle) -> Iterator[str]:
    """Tell rungs that come before the ones they should follow."""
    for lower, upper in (
        ("account_robot_failures", "account_pictures_failures"),
        ("account_failures", "account_stop_failures"),
        ("account_pictures_failures", "account_stop_failures"),
        ("known_browser_failures", "account_stop_failures"),
        ("network_pictures_failures", "network_wait_failures"),
    ):
        if getattr(throttle, lower) > getattr(throttle, upper):
            yield f"[throttle] {lower} has to be {upper} at most."


def _redis_problems(settings: Settings) -> Iterator[str]:
    """Tell what is wrong with Redis's address, without repeating it: it may hold a password."""
    written = settings.throttle.redis
    if not written:
        return
    from redis.connection import parse_url  # loaded late, and only where it is set

    try:
        parse_url(written)  # type: ignore[no-untyped-call]  # it gives no types
        usable = _is_plain(written)
    except (ValueError, TypeError):
        usable = False
    if not usable:
        yield "[throttle] redis has to be an address such as redis://localhost:6379/0."


def _breached_problems(settings: Settings) -> Iterator[str]:
    written = settings.passwords.breached
    if not written or (written.startswith("/") and _is_plain(written)):
        return
    parts = _split(written)
    schemes = {"https", "http"} if settings.is_development else {"https"}
    if parts is None or parts.scheme not in schemes or parts.query or parts.fragment or not written.endswith("/"):
        yield "[passwords] breached has to be a file's full path, or an address like https://…/range/."


def _first_problems(settings: Settings) -> Iterator[str]:
    if settings.passwords.first not in {FIRST_BY_PASSWORD, FIRST_BY_LINK}:
        yield f"[passwords] first has to be {FIRST_BY_PASSWORD} or {FIRST_BY_LINK}."


def _robot_check_problems(settings: Settings) -> Iterator[str]:
    wanted = settings.robot_check
    if wanted.provider not in {EMBEDDED, RECAPTCHA, HCAPTCHA, TURNSTILE}:
        yield f"[robot_check] provider has to be {EMBEDDED}, {RECAPTCHA}, {HCAPTCHA} or {TURNSTILE}."
        return
    if wanted.provider != EMBEDDED and not _SITE_KEY.fullmatch(wanted.site_key):
        yield f"[robot_check] site_key has to be the one that {wanted.provider} has given this site."
    if wanted.provider != EMBEDDED and not _SITE_SECRET.fullmatch(wanted.secret):
        yield f"[robot_check] secret has to be the one that {wanted.provider} has given with the site key."
    parts = _split(wanted.verify_address)
    schemes = {"https", "http"} if settings.is_development else {"https"}
    if wanted.verify_address and (parts is None or parts.scheme not in schemes or parts.query or parts.fragment):
        yield "[robot_check] verify_address has to be an address such as https://www.recaptcha.net/recaptcha/api/siteverify."


def _mail_problems(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    if mail.security not in {STARTTLS, TLS, UNENCRYPTED}:
        yield f"[mail] security has to be {STARTTLS}, {TLS} or {UNENCRYPTED}."
    if mail.is_mailbox and not settings.is_development:
        yield f"[mail] host can't be {MAILBOX!r} in production: it names the server that takes the mail."
    if mail.is_server and not _MAIL.fullmatch(mail.sender):
        yield "[mail] sender has to be the address that mail comes from, such as portal@example.org."
    if mail.reply_to and not _MAIL.fullmatch(mail.reply_to):
        yield "[mail] reply_to has to be an address such as support@example.org."
    if mail.username and mail.security == UNENCRYPTED and not settings.is_development:
        yield "[mail] security can't be none where there is a username: the password would travel in the clear."


def _text_problems(settings: Settings) -> Iterator[str]:
    for section in ("server", "mail", "district"):
        values = getattr(settings, section)
        for entry in dataclasses.fields(values):
            written = getattr(values, entry.name)
            texts = written if isinstance(written, tuple) else (written,)
            if not all(_is_plain(text) for text in texts if isinstance(text, str)):
                yield f"[{section}] {entry.name} has to be a line of {_LONGEST_TEXT} characters at most."


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and not any(unicodedata.category(one) in {"Cc", "Cs"} for one in text)


def _district_problems(settings: Settings) -> Iterator[str]:
    district = settings.district
    for name in ("name", "portal_name", "support_team"):
        if not getattr(district, name).strip():
            yield f"[district] {name} is on every page and can't be empty."
    for name in ("website", "general_faq"):
        parts = _split(getattr(district, name))
        if getattr(district, name) and (parts is None or parts.scheme not in {"http", "https"}):
            yield f"[district] {name} has to be an address such as https://www.example.org."
    if district.support_email and not _MAIL.fullmatch(district.support_email):
        yield "[district] support_email has to be an address such as support@example.org."
    yield from _school_problems(settings)
    yield from _faq_problems(settings)
    if not district.languages or not all(map(_is_language, district.languages)):
        yield "[district] languages has to name one at least, each like en or pt-BR."
    try:
        zoneinfo.ZoneInfo(district.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield "[district] time_zone has to be a name such as America/Chicago."


def _is_language(code: str) -> bool:
    from babel import Locale, UnknownLocaleError  # loaded late: a command's --help need not wait for it

    if not _LANGUAGE.fullmatch(code):
        return False
    try:
        Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _school_problems(settings: Settings) -> Iterator[str]:
    schools = settings.district.schools
    if not _COLOUR.fullmatch(settings.district.colour):
        yield "[district] colour has to be written like #1d4f91."
    for school in schools:
        if not _COLOUR.fullmatch(school.colour):
            yield f"[district] schools: the colour of {school.key!r} has to be written like #1d4f91."
        if not school.name.strip() or not _is_plain(school.name):
            yield f"[district] schools: the name of {school.key!r} has to be a line, and not empty."
    for key, times in Counter(school.key for school in schools).items():
        if times > 1 or not _SCHOOL_KEY.fullmatch(key):
            yield f"[district] schools: the key {key!r} has to be one of its own, like maine-east."


def _faq_problems(settings: Settings) -> Iterator[str]:
    for faq in settings.district.other_faqs:
        parts = _split(faq.address)
        if parts is None or parts.scheme not in {"http", "https"} or not _is_plain(faq.address):
            yield f"[district] other_faqs: {faq.name!r} needs an address such as https://www.example.org/faq."
        if not faq.name.strip() or not _is_plain(faq.name):
            yield f"[district] other_faqs: the name of {faq.address!r} has to be a line, and not empty."
        if faq.language and not _is_language(faq.language):
            yield f"[district] other_faqs: {faq.language!r} is no language like en or pt-BR."


def _environment_problems(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    if not settings.is_development and environ.get("AUTHLIB_INSECURE_TRANSPORT") is not None:
        # Authlib switches its HTTPS check off for any value of this variable, "0" and "false" included.
        yield "AUTHLIB_INSECURE_TRANSPORT is set: unset it, production never answers plain HTTP."
    for name in environ:
        if name.startswith("IDP_") and f"{name}_FILE" in environ:
            yield f"{name} and {name}_FILE are both set: keep one."
