"""Who is looking, and whether they may act."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from console.errors import ConsoleError


class NotProven(ConsoleError):
    """A visitor did not prove who they are; the text is for them."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A visitor; `is_operator` says whether they may act and read documents."""

    name: str
    is_operator: bool

    def __str__(self) -> str:
        return self.name if self.is_operator else f"{self.name} · read-only"


def identity(names: Collection[str], operators: Collection[str]) -> Identity:
    """Make a visitor's identity of all names they have proven; the first is shown and audited.

    Capitals make no difference, as in e-mail addresses.
    """
    known = {one.casefold() for one in operators}
    first = next(iter(names))
    return Identity(first, any(name.casefold() in known for name in names))


def identity_of(connection: HTTPConnection) -> Identity:
    """Return who sent a request, as the guard has found out."""
    found: Identity = connection.state.identity
    return found
