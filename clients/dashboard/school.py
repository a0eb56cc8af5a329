"""What a school publishes: its calendar, lunch and news, read from its data file."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from clients.shared.look import Look

DATA = Path(__file__).parent / "data"
SCHOOL_DAYS = 5


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the calendar."""

    date: date
    title: str
    time: str
    place: str


@dataclass(frozen=True, slots=True)
class Meal:
    """The lunch of a day, and what is served without meat."""

    date: date
    main: str
    vegetarian: str


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of news."""

    date: date
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class School:
    """A school's data file; the days in it count from whatever day the page is read."""

    name: str
    motto: str
    address: str
    telephone: str
    attendance_line: str
    hours: str
    look: Look
    data: dict[str, Any]

    def calendar(self, today: date) -> list[Event]:
        """What is coming, soonest first; what falls on a weekend without being meant to moves to Monday."""
        events = [
            Event(_school_day(today + timedelta(days=entry["in_days"])), entry["title"], entry["time"], entry["place"])
            for entry in self.data["calendar"]
        ]
        return sorted(events, key=lambda event: event.date)

    def lunch(self, today: date) -> list[Meal]:
        """The menu of this school week, at a weekend of the next; the two menus take turns."""
        monday = today - timedelta(days=today.weekday())
        if today.weekday() >= SCHOOL_DAYS:
            monday += timedelta(days=7)
        menus = self.data["lunch"]
        menu = menus[monday.isocalendar().week % len(menus)]["days"]
        return [Meal(monday + timedelta(days=index), main, green) for index, (main, green) in enumerate(menu)]

    def news(self, today: date) -> list[Item]:
        """The newest first."""
        return [
            Item(today - timedelta(days=entry["days_ago"]), entry["title"], entry["text"])
            for entry in sorted(self.data["news"], key=lambda entry: int(entry["days_ago"]))
        ]


def names() -> list[str]:
    """The schools that have a data file."""
    return sorted(path.stem for path in DATA.glob("*.toml"))


def load(name: str) -> School:
    """Read a school's data file."""
    data = tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
    return School(
        name=data["name"],
        motto=data["motto"],
        address=data["address"],
        telephone=data["telephone"],
        attendance_line=data["attendance_line"],
        hours=data["hours"],
        look=Look(data["colour"], data["colour_on_dark"], data["letter"]),
        data=data,
    )


def _school_day(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= SCHOOL_DAYS else day
