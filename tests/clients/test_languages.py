"""Pages are in the language of the account, else in the browser's; what the provider says of it is only a wish."""

from typing import Any

import pytest

from tests.clients.visitor import Visitor

SPANISH = {"Accept-Language": "es-MX,en;q=0.5"}


def _language(visitor: Visitor, **more: Any) -> str:
    return visitor.get("/nowhere", **more).html.partition('<html lang="')[2].partition('"')[0]


def test_a_visitor_reads_the_browsers_language_and_its_region_does_not_matter(visitor: Visitor) -> None:
    assert _language(visitor, headers=SPANISH) == "es"
    assert _language(visitor, headers={"Accept-Language": "fr"}) == "en"
    assert _language(visitor) == "en"


def test_the_log_in_page_is_asked_to_go_on_in_the_language_of_ours(visitor: Visitor) -> None:
    assert "ui_locales=es" in visitor.get("/login", headers=SPANISH).location


@pytest.mark.parametrize(("locale", "read"), [("es", "es"), ("es-US", "es"), ("en", "en")])
def test_somebody_who_is_logged_in_reads_the_accounts_language(visitor: Visitor, locale: str, read: str) -> None:
    visitor.provider.userinfo_changes = {"locale": locale}

    visitor.log_in()

    assert _language(visitor, headers={"Accept-Language": "es" if read == "en" else "en"}) == read


@pytest.mark.parametrize("locale", ["fr", "", "../..", "es\r\nSet-Cookie: a=b", "x" * 5000, 7, None, ["es"], {}])
def test_a_locale_that_is_no_language_of_ours_is_passed_over(visitor: Visitor, locale: object) -> None:
    visitor.provider.userinfo_changes = {"locale": locale}

    visitor.log_in()

    assert visitor.is_logged_in()
    assert _language(visitor) == "en"
