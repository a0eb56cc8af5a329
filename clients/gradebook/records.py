"""What the school knows of a child: marks, attendance and timetable, read from the data files."""

import tomllib
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from clients.shared.look import Look

DATA = Path(__file__).parent / "data"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
FRIDAY = 4
DAYS_SHOWN = 30  # school days of attendance on the page
LETTERS = ((90, "A"), (80, "B"), (70, "C"), (60, "D"), (0, "F"))
TREND_WEEKS = 4
WORTH_A_LOOK = 3  # points lost in four weeks


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of marked work."""

    title: str
    points: int
    out_of: int
    days_ago: int

    def date(self, today: date) -> date:
        """The school day on which it was marked."""
        day = today - timedelta(days=self.days_ago)
        return day - timedelta(days=max(0, day.weekday() - FRIDAY))


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject with its mark at the end of each week of the term, the newest last, out of 100."""

    name: str
    teacher: str
    room: str
    marks: tuple[int, ...]
    work: tuple[Work, ...]

    @property
    def mark(self) -> int:
        """The mark as it stands."""
        return self.marks[-1]

    @property
    def change(self) -> int:
        """Points gained (or lost, if negative) over the last four weeks."""
        return self.marks[-1] - self.marks[-1 - TREND_WEEKS]


@dataclass(frozen=True, slots=True)
class Day:
    """A school day and whether the child was there: present, late, excused or absent."""

    date: date
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A period of the timetable."""

    begins: time
    ends: time
    title: str
    room: str


@dataclass(frozen=True, slots=True)
class Child:
    """A child as the school's records have it."""

    id: str
    given_name: str
    family_name: str
    grade: int
    school: str
    school_name: str
    office: str
    counselor: str
    subjects: tuple[Subject, ...]
    exceptions: dict[int, tuple[str, str]]
    week: tuple[tuple[Lesson, ...], ...]

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def falling(self) -> Subject | None:
        """The subject that lost most of late, if any lost much."""
        subject = min(self.subjects, key=lambda subject: subject.change)
        return subject if subject.change <= -WORTH_A_LOOK else None

    @property
    def averages(self) -> tuple[int, ...]:
        """The mean of all subjects, week by week."""
        return tuple(round(sum(marks) / len(marks)) for marks in zip(*(s.marks for s in self.subjects), strict=True))

    def attendance(self, today: date) -> tuple[Day, ...]:
        """The last school days, the newest last; weekends are none."""
        days: list[Day] = []
        day = today
        while len(days) < DAYS_SHOWN:
            if day.weekday() < len(DAYS):
                kind, note = self.exceptions.get(len(days), ("present", ""))
                days.append(Day(day, kind, note))
            day -= timedelta(days=1)
        return tuple(reversed(days))


@dataclass(frozen=True, slots=True)
class Records:
    """All children, who is whose guardian, and the schools' colours and telephone numbers."""

    children: dict[str, Child]
    guardians: dict[str, tuple[str, ...]]
    looks: dict[str, Look]
    offices: dict[str, str]


def load() -> Records:
    """Read the data files; a slip in them stops the start, not a parent's page."""
    families = _read("families.toml")
    schools = families["schools"]
    children = {path.stem: _child(path, schools) for path in sorted((DATA / "children").glob("*.toml"))}
    guardians = {entry["username"]: tuple(entry["children"]) for entry in families["guardians"]}
    unknown = {child for names in guardians.values() for child in names} - set(children)
    if unknown:
        raise ValueError(f"families.toml names children without a file: {sorted(unknown)}")
    looks = {key: Look(school["colour"], school["colour_on_dark"], school["letter"]) for key, school in schools.items()}
    offices = {school["name"]: school["office"] for school in schools.values()}
    return Records(children, guardians, looks, offices)


def letter(mark: int) -> str:
    """The letter grade of a mark out of 100."""
    return next(name for least, name in LETTERS if mark >= least)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def _child(path: Path, schools: dict[str, Any]) -> Child:
    data = _read(f"children/{path.name}")
    school = schools[data["school"]]
    rooms = {subject["name"]: subject["room"] for subject in data["subjects"]}
    return Child(
        id=path.stem,
        given_name=data["given_name"],
        family_name=data["family_name"],
        grade=data["grade"],
        school=data["school"],
        school_name=school["name"],
        office=school["office"],
        counselor=data["counselor"],
        subjects=tuple(_subject(subject) for subject in data["subjects"]),
        exceptions={entry["school_days_ago"]: (entry["kind"], entry["note"]) for entry in data.get("attendance", [])},
        week=tuple(_lessons(school["periods"], data["timetable"][day], rooms) for day in DAYS),
    )


def _subject(data: dict[str, Any]) -> Subject:
    work = tuple(Work(**entry) for entry in data["work"])
    return Subject(data["name"], data["teacher"], data["room"], tuple(data["marks"]), work)


def _lessons(periods: list[list[str]], titles: list[str], rooms: dict[str, str]) -> tuple[Lesson, ...]:
    return tuple(
        Lesson(time.fromisoformat(begins), time.fromisoformat(ends), title, rooms.get(title, ""))
        for (begins, ends), title in zip(periods, titles, strict=True)
    )
