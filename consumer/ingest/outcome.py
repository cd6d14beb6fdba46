"""What became of one announced object."""

from dataclasses import dataclass

from consumer.errors import ConsumerError
from schemas.codes import State
from schemas.envelopes import ObjectEvent


@dataclass(frozen=True, slots=True)
class Done:
    """A record that reached an end state."""

    state: State


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that failed; `event` is None when the message itself could not be read.

    `log_key` is set when the error log is written already: good records of the document
    committed together with that key. `is_mostly_loaded` says that these are the greater part.
    `is_newcomer` says that nothing of its kind was ever loaded: this release is not to blame.
    """

    error: ConsumerError
    event: ObjectEvent | None = None
    log_key: str | None = None
    is_mostly_loaded: bool = False
    is_newcomer: bool = False


Outcome = Done | Failed
