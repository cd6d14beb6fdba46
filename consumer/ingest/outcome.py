"""What became of one announced object."""

from dataclasses import dataclass

from consumer.causes import Cause
from consumer.errors import ConsumerError
from schemas.codes import State
from schemas.envelopes import ObjectEvent


@dataclass(frozen=True, slots=True)
class Done:
    """A record that reached an end state."""

    state: State


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that failed; `event` is None when the message itself could not be read."""

    error: ConsumerError
    event: ObjectEvent | None = None
    log_key: str | None = None  # of the error log, if good records committed together with it
    cause: Cause | None = None  # of its quarantined records; else the error tells
    is_mostly_loaded: bool = False  # these are the greater part
    is_newcomer: bool = False  # nothing of its kind was ever loaded: no release is to blame


Outcome = Done | Failed
