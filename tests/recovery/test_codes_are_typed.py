"""The code beside the link is typed on the page where one asked, in the same browser, and tells nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from tests.factories import Person
from tests.pages import Browser
from tests.recovery.forgetting import NEW, ask, family, letter_for, sibling, work
from tests.recovery.letters import letters

__all__ = ["family", "sibling"]

Travel = Callable[[timedelta], AbstractContextManager[None]]


def type_code(browser: Browser, code: str) -> int:
    """Type a code on the page that is open."""
    return browser.fill("Code", code).press("Go On").status


def test_the_code_leads_to_the_same_page_as_the_link_and_spends_it(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    letter = letter_for(browser, family.username)

    assert browser.fill("Code", letter.code).press("Go On").location == "/reset-password"
    assert browser.follow().value("Username") == family.username
    assert new_browser().open(letter.path, follow=True).status == 410
    assert browser.fill("New Password", NEW).press("Save").location == "/"
    assert new_browser().log_in(family.username, NEW).status == 303


def test_wrong_five_times_it_is_of_no_use_and_the_link_still_is(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    letter = letter_for(browser, family.username)
    wrong = f"{(int(letter.code.replace(' ', '')) + 1) % 10**8:08}"
    statuses = [type_code(browser, wrong) for _try in range(5)]

    assert statuses == [422] * 5
    assert type_code(browser, letter.code) == 429
    assert new_browser().open(letter.path, follow=True).status == 200


def test_pr3_a_code_for_nobody_is_as_wrong_and_as_often(new_browser: Callable[[], Browser], family: Person) -> None:
    seen = []
    for name in (family.username, "nobody"):
        browser = new_browser()
        ask(browser, name)
        work()
        answers = []
        for _try in range(6):
            status = type_code(browser, "12345678")
            answers.append((status, browser.words, len(browser.page.text), "Retry-After" in browser.page.headers))
        seen.append(answers)

    assert seen[0] == seen[1]
    assert [one[0] for one in seen[0]] == [422] * 5 + [429]


def test_it_is_good_for_ten_minutes(browser: Browser, family: Person, travel: Travel) -> None:
    letter = letter_for(browser, family.username)
    with travel(timedelta(minutes=10, seconds=1)):
        assert type_code(browser, letter.code) == 422


def test_it_works_in_no_other_browser(browser: Browser, new_browser: Callable[[], Browser], family: Person) -> None:
    letter, other = letter_for(browser, family.username), new_browser()
    handle = next(item for item in browser.page.root.all("input") if item.get("name") == "handle").get("value") or ""
    ask(other, "nobody")
    form = {item.get("name") or "": item.get("value") or "" for item in other.page.root.all("input")}
    other.send("POST", "/forgot-password/code", data=form | {"handle": handle, "code": letter.code})

    assert other.status == 422


def test_several_accounts_on_one_address_have_links_only(browser: Browser, family: Person, sibling: Person) -> None:
    letter = letter_for(browser, "ewa.recovers@example.org")

    assert len(letter.links) == 2
    assert "code" not in letter.text
    assert type_code(browser, "12345678") == 422


def test_the_newer_question_s_code_replaces_the_older_one_s(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    other = new_browser()
    older, newer = letter_for(browser, family.username), letter_for(other, family.username)

    assert type_code(browser, older.code) == 422
    assert type_code(other, newer.code) == 303
    assert len(letters()) == 2
