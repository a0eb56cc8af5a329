"""The list of applications: search, pages, last use, and what hostile input makes of them (ATTACKS IN1, IN3, IN5)."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from idp import clock
from idp.clients import registry
from idp.clients.models import Client
from idp.database import db
from idp.sessions.models import LogoutNotice, NoticeBreaker
from tests.factories import Person, Registered
from tests.pages import Browser

LIST = "/admin/clients"


def shown(console: Browser) -> list[str]:
    return [heading.words for heading in console.page.root.all("h2")]


@pytest.fixture
def four(client: Callable[..., Registered]) -> None:
    for name in ("Lunch_Orders", "LunchXOrders", "100% Fun", "Gradebook"):
        client(name)


def test_an_empty_list_says_how_to_begin(console: Browser) -> None:
    console.open(LIST)

    assert "No application is registered yet." in console.words
    assert "Register an application" in console.page.links


def test_the_list_is_in_the_order_of_names(console: Browser, four: None) -> None:
    console.open(LIST)

    assert sorted(shown(console)) == ["100% Fun", "Gradebook", "LunchXOrders", "Lunch_Orders"]
    assert "4 applications" in console.words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("grade", ["Gradebook"]),
        ("GRADE", ["Gradebook"]),
        ("  grade  ", ["Gradebook"]),
        ("%", ["100% Fun"]),
        ("_", ["Lunch_Orders"]),
        ("h_O", ["Lunch_Orders"]),
        ("\\", []),
        ("/", []),
        ("' OR 1=1--", []),
        ('"; DROP TABLE clients; --', []),
        ("\x00grade\x00", ["Gradebook"]),
        ("<script>alert(1)</script>", []),
        ("x" * 5000, []),
        ("💩", []),
    ],
    ids=ascii,
)
def test_a_search_looks_for_what_was_typed_and_nothing_more(
    console: Browser, four: None, text: str, found: list[str]
) -> None:
    page = console.open(LIST, q=text)

    assert page.status == 200
    assert [name for name in shown(console) if name != "More settings"] == found
    assert "<script>alert" not in page.text


def test_an_application_is_found_by_its_client_id(console: Browser, client: Callable[..., Registered]) -> None:
    made = client("Lunch Orders")
    client("Gradebook")
    console.open(LIST, q=made.client_id)

    assert shown(console) == ["Lunch Orders"]


@pytest.mark.parametrize("page", ["0", "-1", "2", "999999", "9" * 40, "1e3", "x", "", "1;DROP", "١", "\x00", "1.5"])
def test_a_nonsense_page_is_a_page_that_there_is(console: Browser, four: None, page: str) -> None:
    console.open(LIST, page=page, sort="name; DROP TABLE clients", order="desc'", cursor="' OR 1=1--")

    assert console.status == 200
    assert len(shown(console)) == 4


def test_a_long_list_has_pages_that_keep_the_search(console: Browser, client: Callable[..., Registered]) -> None:
    client("Gradebook")
    for number in range(51):
        client(f"Club {number:02}")
    console.open(LIST, q="Club")
    first = shown(console)
    console.click("Next page")

    assert first == [f"Club {number:02}" for number in range(50)]
    assert shown(console) == ["Club 50"]
    assert "Page 2 of 2" in console.words
    console.click("Previous page")
    assert shown(console) == first


def test_the_last_use_is_shown(console: Browser, client: Callable[..., Registered]) -> None:
    made = client("Lunch Orders")
    assert "Not used yet" in console.open(LIST).words
    found = registry.find(made.client_id)
    assert found is not None
    registry.touch_used(found, clock.now())
    db.session.commit()

    assert "Last used" in console.open(LIST).words
    assert "Last used" in console.open(f"{LIST}/{made.client_id}").words


def test_an_application_that_misses_log_outs_stands_out(
    console: Browser, parent: Person, client: Callable[..., Registered]
) -> None:
    made = client("Lunch Orders", backchannel_logout_uri="https://lunch.example/out")
    path = f"{LIST}/{made.client_id}"
    assert "Nothing sent yet." in console.open(path).words
    now = clock.now()
    db.session.add(NoticeBreaker(client_pk=made.id, failures=3, last_failure_at=now, last_result="HTTP 500"))
    db.session.add(
        LogoutNotice(
            client_pk=made.id,
            account_id=parent.id,
            sid="s",
            created_at=now,
            due_at=now,
            attempts=3,
            last_result="HTTP 500",
        )
    )
    db.session.commit()

    assert "Misses log-outs" in console.open(LIST).words
    assert "1 misses log-outs" in console.open("/admin").words
    words = console.open(path).words
    assert "Failing" in words
    assert "3 failures in a row." in words
    assert "1 message waits." in words
    assert "HTTP 500" in words


def test_log_out_messages_that_arrive_are_shown(console: Browser, client: Callable[..., Registered]) -> None:
    made = client("Lunch Orders", backchannel_logout_uri="https://lunch.example/out")
    db.session.add(NoticeBreaker(client_pk=made.id, failures=0, last_success_at=clock.now()))
    db.session.commit()

    assert "Arriving" in console.open(f"{LIST}/{made.client_id}").words


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", 'https://x.example/"><script>alert(1)'])
def test_a_page_that_got_past_the_validator_is_still_no_script(
    console: Browser, client: Callable[..., Registered], uri: str
) -> None:
    made = client("Lunch Orders", client_uri="https://lunch.example/")
    db.session.execute(update(Client).where(Client.id == made.id).values(client_uri=uri))
    db.session.commit()
    page = console.open(f"{LIST}/{made.client_id}")

    assert "<script>alert" not in page.text
    assert not any(target.startswith(("javascript:", "data:")) for target in page.links.values())


def test_looking_writes_nothing_to_the_applications(console: Browser, four: None) -> None:
    before = db.session.execute(select(Client.client_id, Client.revision, Client.updated_at)).all()
    db.session.rollback()
    for path in ("/admin", LIST, *(f"{LIST}/{row.client_id}" for row in before)):
        console.open(path)

    assert db.session.execute(select(Client.client_id, Client.revision, Client.updated_at)).all() == before
