"""FAQ: "When I login, why does a box appear that says, 'I'm not a robot'?" By mouse, keys, ear, without scripts."""

from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.factories import Person
from tests.journeys.district import GRADEBOOK, District
from tests.journeys.robots import Check, suspect
from tests.journeys.visit import ENGLISH, SPANISH, Visit
from tests.windows import DESK, PHONE, Chromium, taken, violations

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

WRONG = "a password that is wrong"
_SECONDS_TO_HEAR = """new Promise((done) => {
  const sound = document.querySelector("audio");
  if (sound.readyState) done(sound.duration);
  else sound.addEventListener("loadedmetadata", () => done(sound.duration));
})"""
_numbers = count(1)


@pytest.fixture
def parent(district: District) -> Person:
    """A guardian of this test's own."""
    number = next(_numbers)
    return district.add(f"robin{number}", f"robin{number}@families.example")


def ask_for_more(visit: Visit, parent: Person) -> Check:
    """Open the log-in page of somebody whose name was tried by strangers, and come to the page with the box."""
    suspect(visit.district, parent.username)
    visit.open("/login")
    visit.log_in(parent)
    check = Check(visit.page, visit.district)
    expect(check.tick).to_be_visible()
    expect(visit.page.get_by_label("Username", exact=True)).to_have_value("")
    return check


def type_again(visit: Visit, parent: Person) -> None:
    visit.fill("Username", parent.username)
    visit.fill("Password", parent.password)


def is_inside(page: Page, district: District) -> None:
    expect(page).to_have_url(f"{district.issuer}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


def test_r21_r22_r23_r24_r30_r31_after_three_failures_the_box_is_checked_without_a_question(
    district: District, chromium: Chromium, parent: Person
) -> None:
    with chromium.window(PHONE) as page:
        visit, check = Visit(page, district), Check(page, district)
        visit.come_from(GRADEBOOK)
        for _ in range(3):
            expect(check.tick).to_have_count(0)
            visit.log_in(parent, WRONG)
            visit.reads("is not right")
        expect(check.tick).to_be_visible()
        visit.reads("Somebody may have tried to log in with your username.")
        for label in ("Username", "Password"):
            expect(page.get_by_label(label, exact=True)).to_have_value("")
        assert violations(page) == []

        type_again(visit, parent)
        visit.press("Log In")
        visit.reads("Check the box “I'm not a robot” first.")
        expect(page.get_by_label("Username", exact=True)).to_have_value(parent.username)
        expect(check.tick).not_to_be_checked()

        visit.fill("Password", parent.password)
        check.tick.focus()
        page.keyboard.press("Space")
        check.is_checked()
        expect(check.question).to_be_hidden()
        expect(page.get_by_role("status").filter(has_text="Checked. Now click Log In.")).to_be_visible()
        assert violations(page) == []
        visit.press("Log In")
        visit.is_inside(GRADEBOOK, parent.name)

        visit.open("/logout")
        visit.press("Log Out")
        visit.open("/login")
        visit.log_in(parent)
        is_inside(page, district)


def test_r31_an_answer_is_good_for_one_try(district: District, chromium: Chromium, parent: Person) -> None:
    suspect(district, parent.username, 3)
    with chromium.window(PHONE) as page:
        visit, check = Visit(page, district), Check(page, district)
        visit.open("/login")
        visit.log_in(parent)
        visit.fill("Username", parent.username)
        visit.fill("Password", WRONG)
        check.tick.click()
        check.is_checked()
        visit.press("Log In")
        visit.reads("is not right")

        expect(check.tick).not_to_be_checked()
        expect(page.get_by_label("Username", exact=True)).to_have_value(parent.username)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_r25_r26_r27_r28_r29_squares_are_selected_by_mouse_until_the_box_is_checked(
    district: District, chromium: Chromium, parent: Person, width: int
) -> None:
    with chromium.window(width) as page:
        visit = Visit(page, district)
        check = ask_for_more(visit, parent)
        type_again(visit, parent)
        check.tick.click()
        expect(check.question).to_contain_text("Select all squares with")
        expect(check.question).to_be_focused()
        expect(check.counter).to_have_text("Question 1 of 2")
        assert violations(page) == []
        assert taken(page) <= width

        page.get_by_role("button", name="Verify", exact=True).click()
        expect(page.get_by_text("That was not right. Here is a new question.")).to_be_attached()
        for square in check.until_none_is_left():
            before = check.button(square).locator("img").get_attribute("src")
            check.button(square).click()
            expect(check.button(square).locator("img")).not_to_have_attribute("src", before or "")
            expect(page.get_by_text(f"Square {square + 1} has a new picture.")).to_be_attached()
        page.get_by_role("button", name="Verify", exact=True).click()

        expect(check.counter).to_have_text("Question 2 of 2")
        for square in check.squares().right:
            check.button(square).click()
            expect(check.button(square)).to_have_attribute("aria-pressed", "true")
        assert violations(page) == []
        page.get_by_role("button", name="Verify", exact=True).click()
        check.is_checked()
        expect(check.question).to_be_hidden()
        expect(page.get_by_label("Username", exact=True)).to_have_value(parent.username)
        expect(page.get_by_label("Password", exact=True)).to_have_value(parent.password)
        visit.press("Log In")
        is_inside(page, district)


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until an element is reached whose name begins so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        if name.strip().startswith(wanted):
            return
    raise AssertionError(f"Tab never comes to {wanted}")


def test_r24_r26_r27_r29_the_questions_are_answered_by_keyboard_alone(
    district: District, chromium: Chromium, parent: Person
) -> None:
    with chromium.window(DESK) as page:
        visit = Visit(page, district)
        check = ask_for_more(visit, parent)
        page.get_by_label("Username", exact=True).focus()
        page.keyboard.type(parent.username)
        page.keyboard.press("Tab")
        page.keyboard.type(parent.password)
        for _ in range(2):
            page.keyboard.press("Tab")
        expect(check.tick).to_be_focused()
        page.keyboard.press("Space")
        expect(check.question).to_be_focused()

        for square in check.until_none_is_left():
            check.question.focus()
            _tab_to(page, f"Square {square + 1} ")
            page.keyboard.press("Space")
            expect(page.get_by_text(f"Square {square + 1} has a new picture.")).to_be_attached()
        _tab_to(page, "Verify")
        page.keyboard.press("Enter")
        expect(check.counter).to_have_text("Question 2 of 2")
        expect(check.question).to_be_focused()
        for square in sorted(check.squares().right):
            _tab_to(page, f"Square {square + 1} ")
            page.keyboard.press("Enter")
        _tab_to(page, "Verify")
        page.keyboard.press("Enter")
        expect(check.tick).to_be_focused()
        check.is_checked()
        _tab_to(page, "Log In")
        page.keyboard.press("Enter")
        is_inside(page, district)


def test_r25_digits_are_heard_in_place_of_pictures(district: District, chromium: Chromium, parent: Person) -> None:
    with chromium.window(PHONE) as page:
        visit = Visit(page, district)
        check = ask_for_more(visit, parent)
        type_again(visit, parent)
        check.tick.click()
        page.get_by_role("button", name="Listen Instead", exact=True).click()
        for number in (1, 2):
            expect(check.counter).to_have_text(f"Question {number} of 2")
            expect(check.question).to_have_text("Type the digits that you hear.")
            assert page.evaluate(_SECONDS_TO_HEAR) > 1
            assert violations(page) == []
            page.get_by_role("textbox", name="The digits that you hear").fill(check.digits())
            page.keyboard.press("Enter")
        check.is_checked()
        visit.press("Log In")
        is_inside(page, district)


def test_th18_it_is_named_announced_enlarged_and_pasted_into(
    district: District, chromium: Chromium, parent: Person
) -> None:
    """WCAG 2.2 success criteria 3.3.8 and 4.1.3: nothing has to be read off distorted letters, or remembered."""
    with chromium.window(PHONE) as page:
        check = ask_for_more(Visit(page, district), parent)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        check.tick.click()
        expect(page.get_by_role("group", name="Select all squares with")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Please answer the question below.")).to_be_visible()
        assert taken(page) <= PHONE
        assert violations(page) == []

        page.get_by_role("button", name="Listen Instead", exact=True).click()
        page.get_by_role("textbox", name="The digits that you hear").focus()
        page.keyboard.insert_text(f" {check.digits()} ")
        page.keyboard.press("Enter")
        expect(check.counter).to_have_text("Question 2 of 2")


def test_r25_r26_r28_r29_without_scripts_the_questions_come_before_the_password(
    district: District, chromium: Chromium, parent: Person
) -> None:
    with chromium.window(PHONE, javascript=False) as page:
        visit = Visit(page, district)
        check = ask_for_more(visit, parent)
        visit.follow("Answer the Questions")
        visit.is_at("I'm not a robot")
        visit.press("Show Pictures")
        for number in (1, 2):
            expect(check.counter).to_have_text(f"Question {number} of 2")
            for square in check.squares().right:
                check.button(square).check()
            visit.press("Verify")
        check.is_checked()
        type_again(visit, parent)
        visit.press("Log In")
        is_inside(page, district)


def test_r25_r26_r29_it_is_asked_and_answered_in_spanish(
    district: District, chromium: Chromium, parent: Person
) -> None:
    suspect(district, parent.username)
    with chromium.window(PHONE, language=SPANISH.locale) as page:
        visit = Visit(page, district, SPANISH)
        visit.open("/login")
        visit.log_in(parent)
        check = Check(page, district, "No soy un robot", "Cuadro", "de")
        check.tick.click()
        expect(check.question).to_contain_text("Seleccione todos los cuadros con")
        expect(check.counter).to_have_text("Pregunta 1 de 2")
        for square in check.until_none_is_left():
            check.button(square).click()
            expect(page.get_by_text(f"El cuadro {square + 1} tiene una imagen nueva.")).to_be_attached()
        page.get_by_role("button", name="Verificar", exact=True).click()
        expect(check.counter).to_have_text("Pregunta 2 de 2")
        for square in check.squares().right:
            check.button(square).click()
        page.get_by_role("button", name="Verificar", exact=True).click()
        check.is_checked()
        visit.log_in(parent)
        expect(page).to_have_url(f"{district.issuer}/")


def test_r29_more_time_is_offered_before_the_time_is_over(
    district: District, chromium: Chromium, parent: Person
) -> None:
    with chromium.window(PHONE) as page:
        visit = Visit(page, district)
        page.clock.install()
        check = ask_for_more(visit, parent)
        check.tick.click()
        expect(check.question).to_be_visible()
        offer = page.get_by_role("button", name="I need more time", exact=True)
        for _ in range(2):
            expect(offer).to_be_hidden()
            page.clock.fast_forward(241_000)
            expect(offer).to_be_visible()
            assert violations(page) == []
            offer.click()
        expect(offer).to_be_hidden()
        page.clock.fast_forward(301_000)

        visit.reads("The time is over. Check the box again.")
        expect(check.tick).not_to_be_checked()
        expect(check.question).to_be_hidden()


def test_r30_where_a_browser_can_not_work_it_is_asked_instead(
    district: District, chromium: Chromium, parent: Person
) -> None:
    suspect(district, parent.username, 3)
    with chromium.window(PHONE) as page:
        page.route("**/robot-worker.js*", lambda route: route.abort())
        visit, check = Visit(page, district, ENGLISH), Check(page, district)
        visit.open("/login")
        visit.log_in(parent)
        check.tick.click()

        expect(check.question).to_contain_text("Select all squares with")
