"""A process's places, given to the requests that threads work on."""

from collections.abc import Callable, Iterable
from typing import Any

from idp.places import Places

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def admit(application: Application, number: int) -> Application:
    """Return the application with so many places: a request waits for one, and holds it while it is worked on."""
    places = Places(number)

    def admitted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        places.take()
        try:
            return application(environ, start_response)
        finally:
            places.give_back()

    return admitted
