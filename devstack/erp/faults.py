"""Which requests go wrong, and how: drawn from seed, request and attempt, never from time.

Decides only; `misbehaviour` does it. What an attempt of one cell (path, store, day) suffers does
not depend on what other cells are asked meanwhile, so a run with faults can be repeated.
"""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from devstack.erp.dice import Dice, key_of
from devstack.erp.meter import Meter
from schemas.registry import ENDPOINTS_BY_NAME


class FaultKind(StrEnum):
    """One way in which a request goes wrong."""

    THROTTLED = "throttled"  # 429 with Retry-After
    FAILED = "failed"  # 500
    GATEWAY_TIMEOUT = "gateway_timeout"  # 504 after a delay
    SLOW = "slow"  # the right answer, piece by piece
    CUT = "cut"  # half of the Content-Length, then the connection ends
    RESET = "reset"  # the connection is reset without an answer
    TRUNCATED = "truncated"  # 200 with JSON that stops in the middle
    HTML = "html"  # 200 with an error page
    PROBLEM = "problem"  # 200 with a problem document
    EXPIRED = "expired"  # 401, until the caller has come back with a token
    ANOTHER_STORE = "another_store"  # 200 with the answer of another store
    ANOTHER_DAY = "another_day"  # 200 with the answer of a week before


# A day of a week before without checks cannot be told from an empty day, so no run with all kinds
# of faults could be proven complete.
DEFAULT_KINDS = tuple(kind for kind in FaultKind if kind is not FaultKind.ANOTHER_DAY)


def _known_endpoint(name: str) -> str:
    if name not in ENDPOINTS_BY_NAME:
        raise ValueError(f"no such endpoint; the endpoints are {', '.join(ENDPOINTS_BY_NAME)}")
    return name


def split_names(value: Any) -> Any:
    """Read `cut, html` from a variable as the list of names it is."""
    if not isinstance(value, str):
        return value
    return [name.strip() for name in value.split(",") if name.strip()]


def only_numbers(value: object) -> object:
    """Refuse what is no number in JSON; strictness would also refuse 2.0, which is an integer."""
    if isinstance(value, bool | str):
        raise ValueError("write a number")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]
Kinds = tuple[FaultKind, ...]
EndpointName = Annotated[
    str,
    AfterValidator(_known_endpoint),
    Field(json_schema_extra={"enum": list(ENDPOINTS_BY_NAME)}),
]
InARow = Annotated[int, Field(ge=1, le=1_000_000)]
RetryAfter = Annotated[int, Field(ge=0, le=3600)]


class Faults(BaseModel):
    """How bad the day is. What is left out of a request takes its default."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"percent": 20, "kinds": ["throttled", "cut"]}]},
    )

    percent: Percent = Field(description="Attempts that go wrong.")
    kinds: Kinds = Field(
        (), description="Each as likely as the others; none means all but another_day."
    )
    in_a_row: InARow = Field(
        2,
        description="After so many faults in a row, a store's day and endpoint is answered.",
    )
    delay_seconds: Seconds = Field(1, description="How late a 504 comes, how long `slow` takes.")
    retry_after_seconds: RetryAfter = Field(1, description="What a 429 asks to wait.")
    disabled: tuple[EndpointName, ...] = Field(
        (), description="Endpoints that are not enabled: always 404."
    )

    _numbers = field_validator(
        "percent", "in_a_row", "delay_seconds", "retry_after_seconds", mode="before"
    )(only_numbers)


NO_FAULTS = Faults(percent=0)


class Cell(NamedTuple):
    """What is asked for: an endpoint's path, a store, a business day as written."""

    path: str
    store: str
    day: str


class _History(NamedTuple):
    attempts: int = 0
    in_a_row: int = 0
    last: FaultKind | None = None


class FaultPlan:
    """Draws the fault of each attempt and counts attempts by cell.

    Attributes:
        faults: What is in force.
        injected: How often each kind was drawn since `start`.
        attempts: How many requests were seen since `start`.
        meter: How fast they came.
    """

    def __init__(self, seed: int, faults: Faults) -> None:
        self._seed = seed
        self.start(faults)

    def start(self, faults: Faults) -> None:
        """Put `faults` in force and forget all attempts so far."""
        self.faults = faults
        self.injected: Counter[FaultKind] = Counter()
        self.attempts = 0
        self.meter = Meter()
        self._histories: dict[Cell, _History] = {}

    def next_fault(self, cell: Cell) -> FaultKind | None:
        """Count one attempt and say how it goes wrong, if it does.

        A cell is answered after `in_a_row` faults at the latest, and after a 401 at once: a
        caller who renews its token gets through.
        """
        history = self._histories.get(cell, _History())
        attempt = history.attempts + 1
        fault = None if self._is_due(history) else self._draw(cell, attempt)
        in_a_row = 0 if fault is None else history.in_a_row + 1
        self._histories[cell] = _History(attempt, in_a_row, fault)
        self.attempts += 1
        if fault is not None:
            self.injected[fault] += 1
        return fault

    def _is_due(self, history: _History) -> bool:
        return history.in_a_row >= self.faults.in_a_row or history.last is FaultKind.EXPIRED

    def _draw(self, cell: Cell, attempt: int) -> FaultKind | None:
        dice = Dice(key_of(self._seed, *cell, "fault", attempt))
        if not dice.chance(self.faults.percent):
            return None
        return dice.pick(self.faults.kinds or DEFAULT_KINDS)
