"""Records that cannot be loaded: where they are, which they are, and what is wrong."""

from bisect import bisect_right
from dataclasses import dataclass, field

from pydantic import ValidationError

from consumer.decoding.showing import VALUE_CHARACTERS, cut_short, dotted
from consumer.errors import RecordError
from schemas.aliases import AmbiguousField
from schemas.codes import ErrorCode

_EACH_OF_TWO = (VALUE_CHARACTERS - len(" and ")) // 2
_ERRORS_PER_RECORD = 1000
# Required are only ids, and they are all of one type.
_RULES = {
    "missing": "required: expected an integer of at most 64 bits, or the same in quotes",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "list_type": "expected a list",
}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record that was set aside; `path` is its place in the document."""

    path: str
    record_id: str | None
    code: ErrorCode
    errors: tuple[RecordError, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the records of a document were before it got the ordinary form."""

    _starts: list[int] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def add(self, start: int, place: str) -> None:
        """Note that the records from a position on are in the list at a place."""
        self._starts.append(start)
        self.lists.append(place)

    def of(self, position: int) -> str:
        """Return the place of the record at a position: `revenueCenters[1].invoices[0]`."""
        number = bisect_right(self._starts, position) - 1
        return f"{self.lists[number]}[{position - self._starts[number]}]"


def ambiguous(error: AmbiguousField) -> RecordError:
    """Return what is wrong where two names of a field are filled: with both values, cut short."""
    both = " and ".join(cut_short(value, _EACH_OF_TWO) for value in error.values)
    return RecordError(error.canonical, str(error), both)


def record_errors(error: ValidationError) -> tuple[RecordError, ...]:
    """List a record's validation errors, at most a thousand of them."""
    return tuple(
        RecordError(
            dotted(found["loc"]),
            _RULES.get(found["type"], found["msg"]),
            cut_short(found["input"]),
        )
        for found in error.errors(include_url=False, include_context=False)[:_ERRORS_PER_RECORD]
    )
