"""A coroutine that begins at once ends as any other does."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.operations import eager


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a loop whose tasks begin at once."""

    async def whole() -> Any:
        asyncio.get_running_loop().set_task_factory(eager.begin)
        return await main

    return apart(lambda: asyncio.run(whole()))


def apart(work: Callable[[], Any]) -> Any:
    """Do something on another thread: the tests' own has a loop already where a browser was driven."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(work).result()


def test_what_waits_for_nothing_has_ended_when_it_is_begun() -> None:
    async def answer() -> int:
        return 7

    async def main() -> tuple[bool, int]:
        begun = asyncio.get_running_loop().create_task(answer())
        return begun.done(), await begun

    assert run(main()) == (True, 7)


def test_what_waits_goes_on_when_that_is_there() -> None:
    heard: list[str] = []

    async def listen(said: "asyncio.Future[str]") -> str:
        heard.append("first")
        heard.append(await said)
        await asyncio.sleep(0)
        return await said

    async def main() -> str:
        loop = asyncio.get_running_loop()
        said = loop.create_future()
        begun = loop.create_task(listen(said))
        heard.append("beside")
        said.set_result("then")
        return await begun

    assert run(main()) == "then"
    assert heard == ["first", "beside", "then"]


@pytest.mark.parametrize("pauses", [0, 1, 2])
def test_an_error_is_raised_to_whoever_asks_for_the_result(pauses: int) -> None:
    async def fail() -> None:
        for _ in range(pauses):
            await asyncio.sleep(0)
        raise LookupError("nothing there")

    async def main() -> str:
        begun = asyncio.get_running_loop().create_task(fail())
        try:
            await begun
        except LookupError as error:
            return str(error)
        return ""

    assert run(main()) == "nothing there"


def test_a_cancellation_reaches_the_coroutine() -> None:
    told: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append("cancelled")
            await asyncio.sleep(0)
            told.append("cleared away")
            raise

    async def main() -> bool:
        begun = asyncio.get_running_loop().create_task(wait())
        begun.cancel()
        await asyncio.wait([begun])
        return begun.cancelled()

    assert run(main())
    assert told == ["cancelled", "cleared away"]


def test_what_is_cancelled_in_its_first_step_is_a_cancelled_task() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    async def main() -> bool:
        return asyncio.get_running_loop().create_task(give_up()).cancelled()

    assert run(main())


def test_after_its_first_pause_a_coroutine_is_a_task_of_its_own() -> None:
    async def late() -> str:
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "in time"
        return "too late"

    async def main() -> str:
        return str(await asyncio.get_running_loop().create_task(late()))

    assert run(main()) == "in time"


def test_a_loop_that_does_not_run_yet_makes_tasks_as_ever() -> None:
    def wait() -> str:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(eager.begin)
        try:
            return str(loop.run_until_complete(asyncio.sleep(0, "done")))
        finally:
            loop.close()

    assert apart(wait) == "done"
