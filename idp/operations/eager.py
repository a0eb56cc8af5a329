"""A coroutine's first step, taken where its task would be made.

Most requests are answered in that step. asyncio makes a task for each of them nevertheless, and takes the step in the
loop's next turn, which together cost as much as a ready answer. Python 3.12's eager tasks are of the same idea.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

_Steps = Coroutine[Any, Any, Any] | Generator[Any, None, Any]
_NOTHING = object()


def begin(loop: asyncio.AbstractEventLoop, coroutine: _Steps, **options: Any) -> "asyncio.Future[Any]":
    """Take the first step, and make a task only of what is left then; a task factory, for `loop.set_task_factory`.

    During that step `asyncio.current_task` is the caller's, if there is one: `asyncio.timeout` works only after it.
    """
    if not loop.is_running():
        return asyncio.Task(coroutine, loop=loop, **options)
    ended = loop.create_future()
    try:
        waits_for = coroutine.send(None)
    except StopIteration as end:
        ended.set_result(end.value)
    except asyncio.CancelledError:
        ended.cancel()
    except Exception as error:  # noqa: BLE001  it is raised to whoever asks for the result, as a task's is
        ended.set_exception(error)
    else:
        return asyncio.Task(_Begun(coroutine, waits_for), loop=loop, **options)
    return ended


class _Begun(Coroutine[Any, Any, Any]):
    """A coroutine that waits for something already, and tells that again to whoever takes its first step anew."""

    def __init__(self, coroutine: _Steps, waits_for: Any) -> None:
        self._coroutine, self._waits_for = coroutine, waits_for

    def send(self, value: Any) -> Any:
        """Go on."""
        waits_for, self._waits_for = self._waits_for, _NOTHING
        return self._coroutine.send(value) if waits_for is _NOTHING else waits_for

    def throw(self, *error: Any) -> Any:
        """Let an error come of what was waited for; a cancellation is one, too."""
        self._waits_for = _NOTHING
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Give it up."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        """Nobody awaits it: the task, which alone has it, goes on by `send` and `throw`."""
        raise NotImplementedError
