"""What a check finds, and what is reported of something that could not be asked."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer; `remedy` says what to do next, a setting or a command."""

    level: Level
    check: str
    found: str
    remedy: str = ""


fine = partial(Finding, Level.OK)
warning = partial(Finding, Level.WARNING)  # works, but should be different
problem = partial(Finding, Level.PROBLEM)  # breaks a guarantee, or the service
not_checked = partial(Finding, Level.UNKNOWN)  # could not be asked, which proves neither


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be learned: why, and what to do about it."""

    reason: str
    remedy: str
    is_denial: bool = False  # it will not work, rather than that nobody knows
