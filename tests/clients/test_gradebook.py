"""What a guardian sees in the gradebook, and what nobody else does."""

from datetime import date, timedelta

import pytest
from flask import Flask

from clients.gradebook import pictures, records
from clients.gradebook.app import create_app
from clients.shared.settings import Settings
from tests.clients.stand_in import StandIn
from tests.clients.visitor import Visitor

FAMILIES = {
    "maria.kowalska": ["Zofia Kowalski", "Jan Kowalski"],
    "james.okafor": ["Ada Okafor", "Tobias Okafor"],
    "linh.tran": ["Minh Tran"],
}
MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(("username", "children"), FAMILIES.items())
def test_guardians_see_their_own_children_and_no_others(visitor: Visitor, username: str, children: list[str]) -> None:
    visitor.log_in(username)
    words = visitor.get("/").words

    for family in FAMILIES.values():
        for child in family:
            assert (child in words) == (child in children)


def test_a_childs_page_shows_marks_attendance_and_timetable(visitor: Visitor) -> None:
    visitor.log_in("maria.kowalska")
    words = visitor.get("/children/zofia-kowalska").words

    for expected in (
        "Zofia Kowalski",
        "Marks this term",
        "AP Biology",
        "Attendance",
        "27 Present",
        "Timetable",
        "Monday",
    ):
        assert expected in words


def test_each_picture_of_marks_says_in_words_what_it_shows_and_a_table_has_the_figures(visitor: Visitor) -> None:
    visitor.log_in("maria.kowalska")
    page = visitor.get("/children/zofia-kowalska")
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]

    assert len(drawings) == 7
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert "AP Biology over the term: from 86 to 94 out of 100" in page.html
    assert sum(tag == "td" for tag, _ in page.tags) == 6 * 12


@pytest.mark.parametrize("child", ["ada-okafor", "nobody", "..%2ffamilies", "%00"])
def test_another_familys_child_does_not_exist(visitor: Visitor, child: str) -> None:
    visitor.log_in("maria.kowalska")

    assert visitor.get(f"/children/{child}").status == 404


def test_a_link_to_a_child_leads_through_the_log_in_and_back_to_the_child(visitor: Visitor, provider: StandIn) -> None:
    asked = visitor.get("/children/zofia-kowalska")
    started = visitor.get(asked.location)
    back = visitor.come_back(provider.authorize(started.location, "maria.kowalska"))

    assert back.location.endswith("/children/zofia-kowalska")


@pytest.mark.parametrize("username", ["rosa.alvarez", "unknown.person", ""])
def test_whoever_has_no_child_here_is_told_whom_to_ask(visitor: Visitor, username: str) -> None:
    visitor.log_in(username)
    words = visitor.get("/").words

    assert "We found no child for your account" in words
    assert "call the main office" in words
    assert "847-555-0110" in words


def test_a_new_username_changes_nothing(visitor: Visitor) -> None:
    visitor.log_in("maria.kowalska", subject="person-1")
    visitor.get("/")
    visitor.log_in("maria.nowak", subject="person-1")

    assert "Zofia Kowalski" in visitor.get("/").words


def test_whoever_is_given_a_used_username_sees_nobodys_children(visitor: Visitor, stranger: Visitor) -> None:
    visitor.log_in("maria.kowalska", subject="person-1")
    visitor.get("/")
    stranger.log_in("maria.kowalska", subject="person-2", sid="s2")

    assert "We found no child" in stranger.get("/").words
    assert stranger.get("/children/zofia-kowalska").status == 404
    assert "Zofia Kowalski" in visitor.get("/").words


def test_the_bond_is_made_by_the_log_in_not_by_a_later_look(visitor: Visitor, stranger: Visitor) -> None:
    visitor.log_in("maria.kowalska", subject="person-1")
    stranger.log_in("maria.kowalska", subject="person-2", sid="s2")

    assert "We found no child" in stranger.get("/").words


def test_the_bond_outlives_a_restart(visitor: Visitor, provider: StandIn, configuration: Settings) -> None:
    visitor.log_in("maria.kowalska", subject="person-1")
    restarted = Visitor(create_app(configuration), provider)
    restarted.log_in("maria.nowak", subject="person-1")

    assert "Zofia Kowalski" in restarted.get("/").words


def test_a_username_is_known_however_it_is_typed(visitor: Visitor) -> None:
    visitor.log_in("Maria.KOWALSKA")

    assert "Zofia Kowalski" in visitor.get("/").words


def test_nothing_of_a_child_is_kept_by_the_browser(visitor: Visitor) -> None:
    visitor.log_in("maria.kowalska")

    assert visitor.get("/children/zofia-kowalska").headers["Cache-Control"] == "no-store"


def test_the_data_files_are_whole() -> None:
    known = records.load()

    assert set(known.guardians) == {*FAMILIES, "rosa.alvarez", "piotr.kowalski"}
    for child in known.children.values():
        assert len(child.subjects) == 6
        assert all(len(subject.marks) == 12 and max(subject.marks) <= 100 for subject in child.subjects)
        assert all(work.points <= work.out_of for subject in child.subjects for work in subject.work)
        assert [len(day) for day in child.week] == [7] * 5


@pytest.mark.parametrize("day", [MONDAY + timedelta(days=number) for number in range(7)], ids=str)
def test_attendance_and_marked_work_fall_on_school_days_whatever_day_it_is(day: date) -> None:
    for child in records.load().children.values():
        days = child.attendance(day)
        assert len(days) == 30
        assert all(entry.date.weekday() < 5 and entry.date <= day for entry in days)
        assert all(work.date(day).weekday() < 5 for subject in child.subjects for work in subject.work)


@pytest.mark.parametrize(
    ("mark", "expected"), [(100, "A"), (90, "A"), (89, "B"), (70, "C"), (60, "D"), (59, "F"), (0, "F")]
)
def test_letter_grades(mark: int, expected: str) -> None:
    assert records.letter(mark) == expected


@pytest.mark.parametrize("marks", [(100,) * 12, (0,) * 12, (52, 100, 66), (0, 100)], ids=str)
def test_a_picture_keeps_every_mark_inside_its_frame(marks: tuple[int, ...]) -> None:
    picture = pictures.draw(marks)

    assert all(0 < point.x < picture.width and 0 < point.y < picture.height for point in picture.points)
    assert all(0 < line.y < picture.height for line in picture.lines)


def test_the_bond_is_to_one_provider_only(gradebook: Flask, visitor: Visitor) -> None:
    visitor.log_in("maria.kowalska", subject="person-1")
    visitor.get("/")
    store = gradebook.extensions["relying_party"].store
    with store.reading() as connection:
        rows = [tuple(row) for row in connection.execute("SELECT issuer, subject, guardian FROM guardians")]

    assert rows == [(visitor.provider.issuer, "person-1", "maria.kowalska")]
