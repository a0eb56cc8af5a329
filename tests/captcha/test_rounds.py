"""What comes after an answer, and what is a right one: decisions, case by case."""

import pytest

from idp.captcha import rounds
from idp.captcha.rounds import Finished, Next, Over, Progress, Spoken, Squares


@pytest.mark.parametrize(
    ("progress", "is_solved", "outcome"),
    [
        (Progress(1, 1, 1), True, Finished()),
        (Progress(1, 2, 1), True, Next(2)),
        (Progress(2, 2, 2), True, Finished()),
        (Progress(2, 3, 2), True, Next(3)),
        (Progress(1, 1, 1), False, Next(1)),
        (Progress(2, 2, 2), False, Next(1)),
        (Progress(3, 3, rounds.MOST_TASKS - 1), False, Next(1)),
        (Progress(3, 3, rounds.MOST_TASKS), True, Finished()),
        (Progress(1, 2, rounds.MOST_TASKS), True, Over()),
        (Progress(1, 1, rounds.MOST_TASKS), False, Over()),
    ],
)
def test_r26_r28_what_comes_after_an_answer(
    progress: Progress, is_solved: bool, outcome: Next | Finished | Over
) -> None:
    assert rounds.after(progress, is_solved=is_solved) == outcome


TASK = Squares("buses", 9, frozenset({1, 4, 8}), is_replacing=False)


@pytest.mark.parametrize(
    ("chosen", "is_solved"),
    [
        ({1, 4, 8}, True), ([8, 4, 1, 1], True), (set(), False), ({1, 4}, False), ({1, 4, 7}, False),
        (range(9), False), ({1, 4, 8, 99}, False), ({-1}, False),
    ],
)  # fmt: skip
def test_r26_just_the_right_squares_have_to_be_chosen(chosen: set[int], is_solved: bool) -> None:
    assert TASK.is_solved(chosen) is is_solved


def test_r27_squares_are_replaced_until_none_is_left() -> None:
    task = Squares("buses", 9, frozenset({1, 4}), is_replacing=True)
    task = task.choose(1, is_right_again=True)
    assert not task.is_solved([])
    task = task.choose(1, is_right_again=False).choose(4, is_right_again=False)

    assert task.is_solved([])
    assert task.replaced == 3


@pytest.mark.parametrize("square", [0, 8])
def test_r27_a_wrong_square_that_was_replaced_spoils_the_task_whatever_comes_after(square: int) -> None:
    task = Squares("buses", 9, frozenset({1}), is_replacing=True)
    task = task.choose(square, is_right_again=True).choose(square, is_right_again=False).choose(1, is_right_again=False)

    assert task.right == frozenset()
    assert not task.is_solved([])


def test_r27_new_squares_stop_being_right() -> None:
    task, chosen = Squares("buses", 9, frozenset({1}), is_replacing=True), 0
    while task.right:
        task, chosen = task.choose(1, is_right_again=task.may_be_right_again()), chosen + 1

    assert chosen == rounds.MOST_REPLACED + 1


@pytest.mark.parametrize("task", [TASK, TASK.choose(2, is_right_again=True), Spoken("4711")])
def test_a_task_is_kept_as_it_is(task: Squares | Spoken) -> None:
    assert rounds.read(task.stored()) == task


def test_between_two_tasks_there_is_none() -> None:
    assert rounds.read({}) is None


def test_r27_every_other_round_replaces_squares() -> None:
    assert [rounds.is_replacing(number) for number in (1, 2, 3)] == [True, False, True]
