"""What a school's parent dashboard shows to everybody."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask

from clients.dashboard import school
from clients.dashboard.app import create_app
from clients.shared.settings import Settings
from tests.clients.stand_in import StandIn
from tests.clients.visitor import Visitor

MONDAY = date(2026, 11, 23)
SCHOOLS = {"maine-east": "Maine East", "maine-south": "Maine South", "maine-west": "Maine West"}


@pytest.mark.parametrize(("key", "name"), SCHOOLS.items())
def test_everybody_sees_calendar_lunch_and_news_and_the_way_to_log_in(
    configuration: Settings, provider: StandIn, key: str, name: str
) -> None:
    page = Visitor(create_app(configuration, key), provider).get("/")

    for expected in (f"{name} Parent Dashboard", "Calendar", "Lunch", "News", "Log in", "Parent Portal"):
        assert expected in page.words


def test_a_guardian_is_greeted_by_name(dashboard: Flask, provider: StandIn) -> None:
    visitor = Visitor(dashboard, provider)
    visitor.log_in("maria.kowalska")

    assert "Welcome, Maria.Kowalska" in visitor.get("/").words


def test_each_school_has_cookies_and_a_file_of_its_own(configuration: Settings, provider: StandIn) -> None:
    for key in SCHOOLS:
        visitor = Visitor(create_app(configuration, key), provider)
        visitor.log_in()
        assert visitor.client.get_cookie(key.replace("-", "_") + "_session")
        assert (configuration.state_dir / f"{key.replace('-', '_')}.sqlite3").exists()


def test_the_schools_differ_in_colour(configuration: Settings, provider: StandIn) -> None:
    sheets = {Visitor(create_app(configuration, key), provider).get("/theme.css").html for key in SCHOOLS}

    assert len(sheets) == len(SCHOOLS)


def test_the_page_is_fresh_a_year_from_now(
    dashboard: Flask, provider: StandIn, pass_time: Callable[[float], None]
) -> None:
    visitor = Visitor(dashboard, provider)
    before = visitor.get("/").words
    pass_time(365 * 86400)

    assert visitor.get("/").words != before


@pytest.mark.parametrize("day", [MONDAY + timedelta(days=number) for number in range(7)], ids=str)
@pytest.mark.parametrize("key", SCHOOLS)
def test_entries_make_sense_on_every_day_of_the_week(key: str, day: date) -> None:
    shown = school.load(key)
    calendar, lunch, news = shown.calendar(day), shown.lunch(day), shown.news(day)

    assert [event.date for event in calendar] == sorted(event.date for event in calendar)
    assert all(day < event.date and event.date.weekday() < 5 for event in calendar)
    assert [meal.date.weekday() for meal in lunch] == [0, 1, 2, 3, 4]
    assert lunch[-1].date >= day
    assert all(item.date <= day for item in news)
    assert [item.date for item in news] == sorted((item.date for item in news), reverse=True)


def test_the_two_menus_take_turns() -> None:
    shown = school.load("maine-east")

    assert [meal.main for meal in shown.lunch(MONDAY)] != [
        meal.main for meal in shown.lunch(MONDAY + timedelta(days=7))
    ]
