"""Logging out: by the button, and by the provider's word."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.clients.stand_in import CLIENT_ID, StandIn
from tests.clients.visitor import BASE_URL, Visitor


def press_log_out(visitor: Visitor, **more: Any) -> Any:
    return visitor.post("/logout", data={"form_token": visitor.get("/").form_token}, **more)


def test_log_out_ends_the_session_here_and_then_at_the_provider(visitor: Visitor, provider: StandIn) -> None:
    visitor.log_in()
    page = press_log_out(visitor)
    address = urlsplit(page.location)
    query = parse_qs(address.query)

    assert page.status == 303
    assert address.path == "/end"
    assert query["post_logout_redirect_uri"] == [BASE_URL + "/logged-out"]
    assert query["client_id"] == [CLIENT_ID]
    assert query["id_token_hint"][0].count(".") == 2
    assert not visitor.is_logged_in()
    assert "so has the one of the Parent Portal" in visitor.get(f"/logged-out?state={query['state'][0]}").words


@pytest.mark.parametrize("state", ["", "?state=made-up"])
def test_the_page_after_log_out_promises_nothing_without_its_state(visitor: Visitor, state: str) -> None:
    page = visitor.get("/logged-out" + state)

    assert page.status == 200
    assert "You are logged out here" in page.words
    assert "also log out of the Parent Portal" in page.words


def test_the_old_cookie_is_worth_nothing_after_log_out(visitor: Visitor) -> None:
    visitor.log_in()
    cookie = visitor.client.get_cookie("gradebook_session")
    press_log_out(visitor)
    assert cookie is not None
    visitor.client.set_cookie("gradebook_session", cookie.value)

    assert not visitor.is_logged_in()


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_can_not_log_anybody_out(visitor: Visitor, headers: dict[str, str]) -> None:
    visitor.log_in()

    assert press_log_out(visitor, headers=headers).status == 400
    assert visitor.is_logged_in()


@pytest.mark.parametrize("form", [{}, {"form_token": ""}, {"form_token": "made-up"}, {"form_token": "żółw"}])
def test_log_out_needs_the_token_of_this_session(visitor: Visitor, form: dict[str, str]) -> None:
    visitor.log_in()

    assert visitor.post("/logout", data=form).status == 400
    assert visitor.is_logged_in()


def test_log_out_by_a_link_does_nothing(visitor: Visitor) -> None:
    visitor.log_in()

    assert visitor.get("/logout").status == 405
    assert visitor.is_logged_in()


def test_log_out_twice_is_as_good_as_once(visitor: Visitor) -> None:
    assert visitor.post("/logout").location == "/logged-out"


def test_log_out_works_here_while_the_provider_is_down(
    visitor: Visitor, provider: StandIn, pass_time: Callable[[float], None]
) -> None:
    visitor.log_in()
    pass_time(10 * 60)
    visitor.get("/")
    pass_time(25 * 60)
    visitor.get("/")
    pass_time(28 * 60)
    provider.down = True

    assert press_log_out(visitor).location == "/logged-out"
    assert not visitor.is_logged_in()


def test_log_out_stays_here_if_the_provider_has_no_page_for_it(visitor: Visitor, provider: StandIn) -> None:
    provider.discovery = lambda: {  # type: ignore[method-assign]  # what this provider says
        name: value for name, value in StandIn.discovery(provider).items() if name != "end_session_endpoint"
    }
    visitor.log_in()

    assert press_log_out(visitor).location == "/logged-out"


def test_the_providers_word_ends_the_session_it_names(visitor: Visitor, stranger: Visitor, provider: StandIn) -> None:
    visitor.log_in("maria.kowalska", sid="s1")
    stranger.log_in("maria.kowalska", sid="s2")
    answer = visitor.back_channel(provider.logout_token(sid="s1"))

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not visitor.is_logged_in()
    assert stranger.is_logged_in()


def test_without_a_sid_it_ends_all_sessions_of_the_person(
    visitor: Visitor, stranger: Visitor, gradebook: Flask, provider: StandIn
) -> None:
    james = Visitor(gradebook, provider)
    visitor.log_in("maria.kowalska", sid="s1")
    stranger.log_in("maria.kowalska", sid="s2")
    james.log_in("james.okafor", sid="s3")

    assert visitor.back_channel(provider.logout_token(sid=None, sub="sub-of-maria.kowalska")).status == 200
    assert not visitor.is_logged_in()
    assert not stranger.is_logged_in()
    assert james.is_logged_in()


def test_a_log_out_token_is_used_once(visitor: Visitor, provider: StandIn) -> None:
    token = provider.logout_token(sid=None, sub="sub-of-maria.kowalska")

    assert visitor.back_channel(token).status == 200
    visitor.log_in("maria.kowalska")
    assert visitor.back_channel(token).status == 400
    assert visitor.is_logged_in()


@pytest.mark.parametrize("named", [{"sid": "s1"}, {"sid": None, "sub": "sub-of-maria.kowalska"}], ids=str)
def test_a_log_out_that_arrives_while_a_log_in_finishes_wins(
    visitor: Visitor, stranger: Visitor, provider: StandIn, named: dict[str, Any]
) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska", sid="s1")
    answer, told = provider.answer, []

    def answer_after_a_log_out(path: str, form: dict[str, list[str]], authorization: str) -> Any:
        if path == "/token":
            told.append(stranger.back_channel(provider.logout_token(**named)).status)
        return answer(path, form, authorization)

    provider.answer = answer_after_a_log_out  # type: ignore[method-assign]  # what this provider says
    page = visitor.come_back(query)

    assert told == [200]
    assert page.status == 400
    assert "logged out while you were logging in" in page.words
    assert not visitor.is_logged_in()


def test_whoever_was_logged_out_everywhere_can_log_in_again(visitor: Visitor, provider: StandIn) -> None:
    visitor.log_in(sid="s1")
    visitor.back_channel(provider.logout_token(sid=None, sub="sub-of-maria.kowalska"))

    assert visitor.log_in(sid="s2").status == 303
    assert visitor.is_logged_in()
