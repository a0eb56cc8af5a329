"""What somebody types as an email address: never refused for being unusual, and slips are pointed out."""

import pytest
from flask import Flask

from idp.accounts import addresses
from idp.accounts.addresses import Address, Problem

pytestmark = [pytest.mark.one_database, pytest.mark.usefixtures("app")]


@pytest.mark.parametrize(
    "text",
    ["a@b.museum", "ewa+school@example.org", "o'hara@example.org", "1@2.example", "ewa@school.k12.il.us",
     "e.w.a_k-o@sub.sub.example.org", "ewa@xn--mller-kva.example", "x" * 64 + "@example.org", "ewa@example.test"],
)  # fmt: skip
def test_what_is_unusual_is_no_reason(app: Flask, text: str) -> None:
    found = addresses.check(f" {text} ")

    assert isinstance(found, Address)
    assert found.meant is None


@pytest.mark.parametrize(
    "text",
    ["", " ", "ewa", "ewa@", "@example.org", "ewa@example", "ewa@@example.org", "ewa@exa mple.org", "a@b.c,d@e.f",
     "a@example.org\r\nBcc: b@example.org", "Ewa <ewa@example.org>", "ewa@example..org", "ewa@-example.org",
 "ewa@" + "x." * 130 + "org", "ewa\u200b@example.org", "ewa@\udcff.org", "\0",
     "ewa@[192.0.2.1]", "ewa@m\u00fcller.example@x.org"],
)  # fmt: skip
def test_what_no_mail_can_go_to_is_refused_in_words(app: Flask, text: str) -> None:
    found = addresses.check(text)

    assert isinstance(found, Problem)
    assert found.words.endswith(".")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gmial.com", "gmail.com"), ("gmal.com", "gmail.com"), ("gmail.con", "gmail.com"), ("gmaill.com", "gmail.com"),
     ("yaho.com", "yahoo.com"), ("hotmial.com", "hotmail.com"), ("outlok.com", "outlook.com"),
     ("iclould.com", "icloud.com"), ("comcats.net", "comcast.net"), ("GMIAL.COM", "gmail.com")],
)  # fmt: skip
def test_a_slip_in_a_common_domain_is_pointed_out(app: Flask, typed: str, meant: str) -> None:
    assert addresses.check(f"ewa@{typed}") == Address(f"ewa@{typed.lower()}", f"ewa@{meant}")


@pytest.mark.parametrize(
    "domain", ["gmail.com", "ymail.com", "mail.com", "gmx.net", "d207.org", "yahoo.co.uk", "me.com"]
)
def test_what_people_have_is_no_slip(app: Flask, domain: str) -> None:
    assert addresses.check(f"ewa@{domain}") == Address(f"ewa@{domain}")


def test_a_masked_address_is_known_to_its_owner_alone() -> None:
    assert addresses.masked("ewa.private@example.net") == "e***@example.net"
    assert addresses.masked("e@example.net") == "e***@example.net"
