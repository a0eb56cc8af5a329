"""The desk's requests: the queue, one request, what is noted on it, and mail to the family (R42, R55, R59)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from idp.accounts.models import SUPPORT
from idp.database import db, release
from idp.mail.models import ACCEPTED, BOUNCED, GIVEN_UP, REFUSED, WAITING, OutboxMessage
from idp.support import queue
from idp.support.models import MAIL, NOTE, PHONE, STATE
from tests.factories import Person
from tests.pages import Browser, Page
from tests.recovery.letters import letters
from tests.support.team import at_desk, entries, events, messages, row, ticket

Travel = Callable[[timedelta], AbstractContextManager[None]]

MARKUP = "<script>alert(1)</script>\"><img src=x onerror=alert(1)> {{7*7}} & 'x'"


def test_r55_the_queue_shows_what_was_asked_with_the_oldest_first(desk: Browser) -> None:
    old = ticket("Ewa Kowalska", minutes_ago=3 * 24 * 60)
    new = ticket("Linh Tran", minutes_ago=2, topic="forgot")
    page = desk.open("/desk")

    assert page.words.index(f"Number {old}") < page.words.index(f"Number {new}")
    assert "Ewa Kowalska: Verification email not received" in page.links
    assert "Maine East High School, 3 days ago" in page.words
    assert "Open (2)" in page.links
    assert desk.click("Linh Tran: I cannot log in").status == 200
    assert f"Request {new}" in desk.words


def test_each_tab_has_its_own_requests_and_says_when_there_are_none(desk: Browser) -> None:
    ticket("Wanda Waiting", state="waiting")
    ticket("Clara Closed", state="closed")
    page = desk.open("/desk")
    assert "Nobody waits for the team." in page.words
    assert ["Wanda" in page.words, "Clara" in page.words] == [False, False]

    assert "Wanda" in desk.click("Waiting (1)").words
    assert "Clara" in desk.click("Closed (1)").words
    assert "Nobody waits" in desk.open("/desk", state="bogus").words


def test_the_queue_is_read_page_by_page_and_any_other_cursor_shows_the_first(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAGE_SIZE", 2)
    names = ["Ada One", "Ben Two", "Cleo Three"]
    for name in names:
        ticket(name)
    shown = [name in desk.open("/desk").words for name in names]
    assert sorted(shown) == [False, True, True]

    desk.click("Next page")
    assert sorted([name in desk.words for name in names]) == [False, False, True]
    assert "Next page" not in desk.page.links
    assert desk.click("First page").status == 200
    for cursor in ("x", "' OR 1=1--", "%", "0" * 500, "\0", "ffffffff-ffff-ffff-ffff-ffffffffffff", "{", "٣" * 32):
        assert desk.open("/desk", after=cursor).status == 200, cursor
    assert [name in desk.open("/desk", after="x").words for name in names] == shown


def test_a_tab_counts_so_far_and_no_further(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    for _ in range(4):
        ticket()

    assert "Open (2+)" in desk.open("/desk").links


def test_a_request_is_found_by_its_number_and_by_a_name_in_any_spelling(desk: Browser) -> None:
    number = ticket("Zoë O'Brien González", state="closed")
    for typed in (number, f" {number[:4]} {number[4:]} ", "gonzalez", "GONZÁLEZ zoe", "zoe obrien gonzalez"):
        assert "Zoë O'Brien González: " in " ".join(desk.open("/desk", q=typed).links), typed

    assert "1 request found" in desk.words
    assert "No request has this number" in desk.open("/desk", q="00000000").words


@pytest.mark.parametrize("typed", ["' OR 1=1--", "%", "_", "\\", MARKUP, "x\0", "٣٣٣٣٣٣٣٣", "a" * 5000, "-" * 50])
def test_in1_in3_whatever_is_searched_for_is_text(desk: Browser, typed: str) -> None:
    ticket("Ewa Kowalska")
    for path in ("/desk", "/desk/people"):
        page = desk.open(path, q=typed)

        assert page.status == 200
        assert "Ewa Kowalska: " not in page.words
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def test_in3_a_request_stands_on_its_page_as_it_was_typed(desk: Browser) -> None:
    typed = f"First line\n   second, moved in\n\n{MARKUP}"
    fields: dict[str, Any] = dict.fromkeys(("student_name", "phone", "email"), MARKUP[:40]) | {"name": MARKUP[:99]}
    page = desk.open(f"/desk/requests/{ticket(summary=typed, **fields)}")

    shown = next(item for item in page.root.all("div") if item.get("class") == "as-typed")
    assert shown.raw == typed
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert [word for word in ("Relationship", "Best time", "Language", "English") if word not in page.words] == []


def test_r55_a_call_is_noted_with_what_came_of_it(desk: Browser, secretary: Person) -> None:
    number = ticket()
    desk.open(f"/desk/requests/{number}")
    desk.fill("What came of it?", "Left a message with the grandmother.")
    page = desk.press("Keep the call", follow=True)

    assert "The call is noted." in page.words
    assert "Called by phone" in page.words
    assert "Left a message with the grandmother." in page.words
    assert secretary.name in page.words
    assert [(one.kind, one.text, one.actor_id) for one in entries(number)] == [
        (PHONE, "Left a message with the grandmother.", secretary.id)
    ]
    assert row(number).state == "open"


def test_a_note_is_kept_and_the_state_is_changed(desk: Browser) -> None:
    number = ticket()
    desk.open(f"/desk/requests/{number}")
    desk.fill("Note", "Speaks Polish.").press("Keep the note", follow=True)
    closed = desk.press("Close", follow=True)

    assert "State: Closed" in closed.words
    assert [(one.kind, one.state) for one in entries(number)] == [(NOTE, ""), (STATE, "closed")]
    assert row(number).closed_at is not None
    desk.press("Open again", follow=True)
    assert (row(number).state, row(number).closed_at) == ("open", None)


def test_r59_a_reply_is_a_letter_in_the_familys_language_around_what_was_typed(desk: Browser) -> None:
    number = ticket("Rosa Álvarez", language="es", email="rosa@example.org")
    answer = f"Buenos días:\n\n  Mire en su carpeta de spam.\n{MARKUP}"
    page = _reply(desk, number, answer)

    assert "The answer is on its way." in page.words
    (letter,) = letters("rosa@example.org")
    assert (letter.kind, letter.language) == ("support/reply", "es")
    assert answer.split("\n")[2] in letter.text
    assert MARKUP in letter.text
    assert number in letter.text
    assert "<script>alert" not in letter.html
    assert "&lt;script&gt;alert" in letter.html
    assert "Rosa Álvarez" in letter.text
    assert "Hello" not in letter.text
    assert row(number).state == "waiting"
    assert [(one.kind, one.text) for one in entries(number)] == [(MAIL, answer), (STATE, "")]


def test_in6_what_is_typed_begins_no_header_and_reaches_one_address(desk: Browser) -> None:
    number = ticket("Ewa\r\nBcc: evil@example.org")
    _reply(desk, number, "Hello\r\nBcc: evil@example.org\r\nSubject: x\r\n\r\nText")

    (message,) = messages()
    assert message.recipient == "ewa@example.org"
    assert message.subject == "Your request for support: an answer"


@pytest.mark.parametrize(
    ("state", "said", "words"),
    [
        (WAITING, "", "Queued, not sent yet"),
        (WAITING, "451 4.7.1 Later", "Queued, put off by the mail server: 451 4.7.1 Later"),
        (ACCEPTED, "250 2.0.0 Taken", "Accepted by the mail server: 250 2.0.0 Taken"),
        (REFUSED, "550 5.1.1 No such <user>", "Refused by the mail server: 550 5.1.1 No such <user>"),
        (GIVEN_UP, "451 4.3.0 Still not", "Given up after many tries: 451 4.3.0 Still not"),
        (BOUNCED, "came back: 5.1.1", "Bounced, it did not arrive: came back: 5.1.1"),
    ],
)
def test_r42_the_log_says_what_became_of_a_mail_in_the_mail_servers_words(
    desk: Browser, state: str, said: str, words: str
) -> None:
    number = ticket()
    _reply(desk, number, "Look into your spam folder.")
    db.session.execute(update(OutboxMessage).values(state=state, reply=said))
    db.session.commit()

    page = desk.open(f"/desk/requests/{number}")

    assert words in page.words
    assert "To ewa@example.org" in page.words
    db.session.execute(db.delete(OutboxMessage))
    db.session.commit()
    assert "What became of this mail is no longer kept." in desk.open(f"/desk/requests/{number}").words


def test_a_family_without_an_address_is_called(desk: Browser) -> None:
    number = ticket(email="")
    page = desk.open(f"/desk/requests/{number}")

    assert "Your answer" not in page.fields
    assert page.links["(847) 555-0199"] == "tel:8475550199"
    assert _send(desk, number, do="reply", text="x", state="open").status == 422
    assert messages() == []


def test_of_two_who_answer_at_once_the_second_is_told_and_keeps_what_was_typed(
    desk: Browser, new_browser: Callable[[], Browser], account: Callable[..., Person]
) -> None:
    number = ticket()
    colleague = at_desk(new_browser(), account(role=SUPPORT, given_name="Cleo", family_name="Colleague"))
    desk.open(f"/desk/requests/{number}")
    colleague.open(f"/desk/requests/{number}")
    desk.fill("Your answer", "The first answer.").press("Send")

    page = colleague.fill("Your answer", "The second answer.").press("Send")

    assert page.status == 409
    assert "Somebody was faster" in page.words
    assert "The first answer." in page.words
    assert page.value("Your answer") == "The second answer."
    assert len(messages()) == 1
    assert colleague.press("Send").status == 303, "what was typed can be sent once the other answer was read"
    assert [one.text for one in entries(number) if one.kind == MAIL] == ["The first answer.", "The second answer."]


def test_a_reply_that_is_sent_many_times_at_once_is_one_mail(app: Flask, desk: Browser) -> None:
    number = ticket()
    data = _form(desk, number, do="reply", text="Once.", state="waiting")
    cookies = desk.cookies
    release()

    def send(_turn: int) -> int:
        client = app.test_client()
        for name, value in cookies.items():
            client.set_cookie(name, value)
        return client.post(f"/desk/requests/{number}", data=data, base_url=desk.origin).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(send, range(6)))

    assert statuses == [303, *[409] * 5]
    assert len(messages()) == 1
    assert [one.kind for one in entries(number)] == [MAIL, STATE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "reply", "text": " \r\n ", "state": "open"},
        {"do": "reply", "text": "x" * 5001, "state": "open"},
        {"do": "reply", "text": "x", "state": "bogus"},
        {"do": "call", "text": "x" * 2001, "state": "open"},
        {"do": "call", "text": "\0\x07", "state": "open"},
        {"do": "note", "text": ""},
        {"do": "move", "state": ""},
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_done(desk: Browser, wrong: dict[str, str]) -> None:
    number = ticket()
    page = _send(desk, number, **wrong)

    assert page.status == 422
    assert "There is a problem" in page.words
    assert (entries(number), messages()) == ([], [])


def test_an_unknown_request_and_an_unknown_act_are_refused(desk: Browser) -> None:
    number = ticket()
    for other in ("00000000", "1", "x" * 8, "٣" * 8, "' OR 1=1--"):
        assert desk.open(f"/desk/requests/{other}").status == 404
    assert _send(desk, number, do="bogus").status == 400
    for version in ("", "x", "9999-12-31T23:59:59.999999+00:00", "\0"):
        assert _send(desk, number, do="note", text="x", version=version).status == 409
    assert entries(number) == []


def test_r55_a_request_is_matched_to_an_account_by_a_person_and_never_by_itself(
    desk: Browser, account: Callable[..., Person], secretary: Person
) -> None:
    parent = account(given_name="Ewa", family_name="Kowalska", email="ewa@example.org")
    number, other = ticket(), ticket(email="else@example.org", account_id=parent.id)
    assert "Nobody has said yet whose it is." in desk.open(f"/desk/requests/{number}").words
    desk.click("Find the account")
    page = desk.press(f"It is {parent.username}", follow=True)

    assert "The request belongs to this account now." in page.words
    assert row(number).account_id == parent.id
    assert f"Number {other}" in page.words, "the family's other requests"
    (event,) = events("support_match")
    assert (event.actor_id, event.account_id, event.details) == (secretary.id, parent.id, {"request": number})
    desk.click("Choose another account")
    desk.press("It is nobody’s account", follow=True)
    assert row(number).account_id is None
    assert len(events("support_match_undo")) == 1


def test_matching_to_nobody_we_know_is_refused(desk: Browser) -> None:
    number = ticket()
    data = {name: value for name, value in _form(desk, number, do="").items() if name in {"csrf_token", "version"}}
    for chosen in ("", "x", "0" * 32, "' OR 1=1--"):
        page = desk.send("POST", f"/desk/requests/{number}/account", data=data | {"account": chosen})
        assert page.status == 422
    assert row(number).account_id is None


def test_other_requests_from_the_same_address_are_shown(desk: Browser) -> None:
    first, second, stranger = ticket(), ticket(state="closed"), ticket(email="else@example.org")
    page = desk.open(f"/desk/requests/{second}")

    assert "Other requests of this family" in page.words
    assert f"Number {first}" in page.words
    assert f"Number {stranger}" not in page.words


def test_the_desk_speaks_spanish(browser: Browser, account: Callable[..., Person]) -> None:
    number = ticket(language="other")
    desk = at_desk(browser, account(role=SUPPORT, locale="es"), f"/desk/requests/{number}")

    assert f"Solicitud {number}" in desk.words
    assert "Otro idioma" in desk.words


def _reply(desk: Browser, number: str, text: str) -> Page:
    desk.open(f"/desk/requests/{number}")
    return desk.fill("Your answer", text).press("Send", follow=True)


def _form(desk: Browser, number: str, **fields: str) -> dict[str, Any]:
    page = desk.open(f"/desk/requests/{number}")
    hidden = {item.get("name"): item.get("value") for item in page.root.all("input") if item.get("type") == "hidden"}
    return {"csrf_token": hidden["csrf_token"], "version": hidden["version"]} | fields


def _send(desk: Browser, number: str, **fields: str) -> Page:
    return desk.send("POST", f"/desk/requests/{number}", data=_form(desk, number, **fields))
