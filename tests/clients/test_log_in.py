"""Logging in at a relying party."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from clients.gradebook import app as gradebook_app
from clients.shared.settings import Settings
from tests.clients.stand_in import StandIn
from tests.clients.visitor import BASE_URL, Visitor


def test_log_in_leads_to_the_provider_with_state_nonce_and_pkce(visitor: Visitor, provider: StandIn) -> None:
    address = urlsplit(visitor.start_log_in())
    query = parse_qs(address.query)

    assert f"{address.scheme}://{address.netloc}{address.path}" == provider.issuer + "/authorize"
    assert query["response_type"] == ["code"]
    assert query["scope"] == ["openid profile email"]
    assert query["redirect_uri"] == [BASE_URL + "/callback"]
    assert query["code_challenge_method"] == ["S256"]
    assert all(len(query[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))


def test_whoever_comes_back_from_the_provider_is_logged_in(visitor: Visitor) -> None:
    page = visitor.log_in("maria.kowalska")

    assert (page.status, page.location) == (303, BASE_URL + "/")
    assert "Logged in as Maria.Kowalska" in visitor.get("/").words


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    visitor.log_in()
    cookie = visitor.client.get_cookie("gradebook_session")

    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.path == "/"


def test_under_https_cookies_are_kept_to_this_host(provider: StandIn, configuration: Settings) -> None:
    base_url = "https://gradebook.example.org"
    settings = Settings(
        provider.issuer, configuration.client_id, configuration.client_secret, base_url, configuration.state_dir
    )
    visitor = Visitor(gradebook_app.create_app(settings), provider, base_url)
    page = visitor.log_in()

    assert "__Host-gradebook_session=" in page.headers["Set-Cookie"] or visitor.is_logged_in()
    cookie = visitor.client.get_cookie("__Host-gradebook_session", domain="gradebook.example.org")
    assert cookie is not None
    assert cookie.secure
    assert visitor.is_logged_in()
    assert "Strict-Transport-Security" in page.headers


def test_two_tabs_that_log_in_at_once_both_end_well(visitor: Visitor, provider: StandIn) -> None:
    first, second = visitor.start_log_in(), visitor.start_log_in()

    assert visitor.come_back(provider.authorize(second, "maria.kowalska", sid="s1")).status == 303
    assert visitor.come_back(provider.authorize(first, "maria.kowalska", sid="s1")).status == 303
    assert visitor.is_logged_in()


def test_dozens_of_log_ins_never_finished_leave_the_newest_working(visitor: Visitor) -> None:
    for _ in range(40):
        visitor.start_log_in()

    assert visitor.log_in().status == 303
    assert visitor.is_logged_in()


def test_an_answer_serves_once(visitor: Visitor, provider: StandIn, stranger: Visitor) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    visitor.come_back(query)
    asked = provider.asked.count("/token")

    again = visitor.come_back(query)

    assert again.location == "/", "the back button leads to the start, for the log-in is done"
    assert provider.asked.count("/token") == asked


def test_an_answer_brought_by_another_browser_logs_nobody_in(
    visitor: Visitor, stranger: Visitor, provider: StandIn
) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    page = stranger.come_back(query)

    assert page.status == 400
    assert "Log in" in page.words
    assert not stranger.is_logged_in()
    assert visitor.come_back(query).status == 303, "the attempt is still its owner's"


@pytest.mark.parametrize(
    "query", ["", "code=x", "code=x&state=made-up", "state=%ff%00&code=%ff", "error=access_denied"]
)
def test_an_answer_that_nobody_asked_for_gets_a_page_with_a_way_to_log_in(visitor: Visitor, query: str) -> None:
    page = visitor.come_back(query)

    assert page.status == 400
    assert ("a", {"href": "/login"}) in page.tags


def test_an_attempt_expires_after_an_hour(
    visitor: Visitor, provider: StandIn, pass_time: Callable[[float], None]
) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    pass_time(3700)

    assert visitor.come_back(query).status == 400


@pytest.mark.parametrize(
    "code", ["access_denied", "login_required", "server_error", "temporarily_unavailable", "<script>", "\"'\\"]
)
def test_a_refusal_by_the_provider_is_a_plain_page(visitor: Visitor, provider: StandIn, code: str) -> None:
    state = parse_qs(urlsplit(visitor.start_log_in()).query)["state"][0]
    page = visitor.get(
        "/callback",
        query_string={
            "error": code,
            "error_description": "<img src=x onerror=alert(1)>",
            "state": state,
            "iss": provider.issuer,
        },
    )

    assert page.status == 400
    assert "You are not logged in" in page.words
    assert "onerror" not in page.html
    assert "<script" not in page.html


@pytest.mark.parametrize("issuer", ["https://other.example.org", "", None])
def test_an_answer_must_name_our_provider_if_it_always_does(
    visitor: Visitor, provider: StandIn, issuer: str | None
) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska").split("&iss=")[0]
    page = visitor.come_back(query if issuer is None else f"{query}&iss={issuer}")

    assert page.status == 400
    assert "/token" not in provider.asked


def test_an_answer_may_leave_the_issuer_out_if_the_provider_promises_nothing(
    visitor: Visitor, provider: StandIn
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = False
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska").split("&iss=")[0]

    assert visitor.come_back(query).status == 303


def test_every_log_in_gets_a_new_session_and_ends_the_one_before(visitor: Visitor) -> None:
    visitor.log_in()
    before = visitor.client.get_cookie("gradebook_session")
    visitor.log_in()
    after = visitor.client.get_cookie("gradebook_session")

    assert before is not None
    assert after is not None
    assert before.value != after.value
    visitor.client.set_cookie("gradebook_session", before.value)
    assert not visitor.is_logged_in()


def test_the_file_of_sessions_holds_no_cookie(visitor: Visitor, tmp_path: Path) -> None:
    visitor.log_in()
    cookie = visitor.client.get_cookie("gradebook_session")
    connection = sqlite3.connect(tmp_path / "gradebook.sqlite3")
    rows = connection.execute("SELECT * FROM sessions").fetchall()
    connection.close()

    assert cookie is not None
    assert len(rows) == 1
    assert cookie.value not in str([tuple(row) for row in rows])
    assert (tmp_path / "gradebook.sqlite3").stat().st_mode & 0o077 == 0


def test_a_session_ends_after_half_an_hour_of_rest(visitor: Visitor, pass_time: Callable[[float], None]) -> None:
    visitor.log_in()
    for _ in range(3):
        pass_time(25 * 60)
        assert visitor.is_logged_in(), "being used keeps it alive"
    pass_time(31 * 60)

    assert not visitor.is_logged_in()


def test_a_session_ends_after_twelve_hours_however_busy(visitor: Visitor, pass_time: Callable[[float], None]) -> None:
    visitor.log_in()
    for _ in range(35):
        pass_time(20 * 60)
        assert visitor.is_logged_in()
    pass_time(21 * 60)

    assert not visitor.is_logged_in()


def test_the_provider_may_start_the_log_in_by_get_or_post(visitor: Visitor, provider: StandIn) -> None:
    asked = {"iss": provider.issuer, "login_hint": "maria", "target_link_uri": BASE_URL + "/children/zofia-kowalska"}
    for page in (visitor.get("/login", query_string=asked), visitor.post("/login", data=asked)):
        assert page.status == 303
        assert parse_qs(urlsplit(page.location).query)["login_hint"] == ["maria"]
        back = visitor.come_back(provider.authorize(page.location, "maria.kowalska"))
        assert back.location == BASE_URL + "/children/zofia-kowalska"


def test_a_log_in_started_for_another_provider_is_refused(visitor: Visitor) -> None:
    page = visitor.get("/login?iss=https://other.example.org")

    assert page.status == 400
    assert "Location" not in page.headers


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.org/",
        "//evil.example.org/",
        BASE_URL + ".evil.example.org/",
        BASE_URL + "@evil.example.org/",
        BASE_URL + "/\\evil.example.org",
        BASE_URL + "/\r\nSet-Cookie: x=y",
        "javascript:alert(1)",
        "/children/zofia-kowalska",
    ],
)
def test_a_log_in_leads_nowhere_but_back_to_us(visitor: Visitor, provider: StandIn, target: str) -> None:
    started = visitor.get("/login", query_string={"target_link_uri": target})

    assert visitor.come_back(provider.authorize(started.location, "maria.kowalska")).location == BASE_URL + "/"


def test_a_path_that_looks_like_another_host_stays_with_us(visitor: Visitor, provider: StandIn) -> None:
    started = visitor.get("/login", query_string={"target_link_uri": BASE_URL + "//evil.example.org/"})

    back = visitor.come_back(provider.authorize(started.location, "maria.kowalska"))
    assert back.location == BASE_URL + "/evil.example.org/"


def test_while_the_provider_is_down_the_page_says_so_and_later_it_works(visitor: Visitor, provider: StandIn) -> None:
    provider.down = True
    page = visitor.get("/login")

    assert page.status == 503
    assert "The log-in service can't be reached just now" in page.words
    assert int(page.headers["Retry-After"]) > 0
    assert visitor.get("/").status == 200
    provider.down = False
    assert visitor.log_in().status == 303


def test_a_provider_that_goes_down_in_between_gets_the_same_page(visitor: Visitor, provider: StandIn) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    provider.down = True

    assert visitor.come_back(query).status == 503


@pytest.mark.parametrize(
    "changes", [{"issuer": "https://other.example.org"}, {"token_endpoint": None}, {"jwks_uri": 5}], ids=str
)
def test_a_discovery_document_that_is_not_our_providers_is_not_used(
    gradebook: Flask, provider: StandIn, changes: dict[str, object]
) -> None:
    provider.metadata.update(changes)
    visitor = Visitor(gradebook, provider)

    assert visitor.get("/login").status == 503
    provider.metadata.clear()
    assert visitor.log_in().status == 303
