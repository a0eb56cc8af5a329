"""The robot check in a window: what makes it ask, and what is right, which stands in the database alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select, update

from idp.accounts import usernames
from idp.captcha import rounds
from idp.captcha.models import RobotCheck
from idp.captcha.pictures import TILES
from idp.captcha.rounds import Spoken, Squares
from idp.database import db
from idp.throttle import tries
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT
from tests import ladders
from tests.journeys.district import District

_ELSEWHERE = "203.0.113.207"


def suspect(district: District, username: str, failures: int = 5) -> None:
    """Let strangers have failed so often at a username that the next try is asked for more than the box."""
    with district.inside():
        ladders.fail(username, failures, network=_ELSEWHERE)
        digest = tries.digest(ACCOUNT, usernames.key(username))
        db.session.execute(update(Counter).where(Counter.digest == digest).values(blocked_until=None))


@dataclass(frozen=True)
class Check:
    """The box on the page that is open, and its questions."""

    page: Page
    district: District
    label: str = "I'm not a robot"
    square: str = "Square"
    of: str = "of"

    @property
    def tick(self) -> Locator:
        """Return the box itself."""
        return self.page.get_by_role("checkbox", name=self.label)

    @property
    def question(self) -> Locator:
        """Return what is asked."""
        return self.page.locator("#robot-question")

    @property
    def counter(self) -> Locator:
        """Return which question of how many it is."""
        return self.page.locator(".robot-counter")

    def is_checked(self) -> None:
        """See that the box is checked, and that its answer is there."""
        expect(self.page.locator("[name=robot_answer]")).not_to_have_value("")
        expect(self.tick).to_be_checked()

    def button(self, square: int) -> Locator:
        """Return a square, from 0 on."""
        return self.page.get_by_label(f"{self.square} {square + 1} {self.of} {TILES}", exact=True)

    def squares(self) -> Squares:
        """Return the task that is open."""
        task = self._task()
        assert isinstance(task, Squares)
        return task

    def digits(self) -> str:
        """Return what is said in the task that is open."""
        task = self._task()
        assert isinstance(task, Spoken)
        return task.answer

    def until_none_is_left(self) -> Iterator[int]:
        """Tell the squares that have to be chosen, one after the other, while they are replaced."""
        while right := self.squares().right:
            yield min(right)
            expect(self.page.locator("[aria-pressed=true]")).to_have_count(0)

    def _task(self) -> Squares | Spoken | None:
        with self._inside():
            task = db.session.scalar(select(RobotCheck.task).order_by(RobotCheck.begun_at.desc()).limit(1))
        return rounds.read(task or {})

    @contextmanager
    def _inside(self) -> Iterator[None]:
        with self.district.inside():
            yield
