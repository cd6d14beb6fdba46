"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer; `remedy` says what to do next, a setting or a command."""

    check: str
    level: Level
    found: str
    remedy: str = ""


def fine(check: str, found: str) -> Finding:
    """Say that all is well."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Say what works but should be different."""
    return Finding(check, Level.WARNING, found, remedy)


def problem(check: str, found: str, remedy: str) -> Finding:
    """Say what breaks a guarantee, or the service."""
    return Finding(check, Level.PROBLEM, found, remedy)


def not_checked(check: str, why: str, remedy: str = "") -> Finding:
    """Say that a check could not run, which proves neither."""
    return Finding(check, Level.UNKNOWN, why, remedy)
