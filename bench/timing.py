"""Repeats: a measurement is the median of several runs, and how far they were apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Seconds:
    """What several runs of one thing took."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The run in the middle."""
        return median(self.runs)

    @property
    def spread(self) -> float:
        """The slowest run less the fastest, as a share of the median."""
        return (max(self.runs) - min(self.runs)) / self.median

    def to_json(self) -> dict[str, float | list[float]]:
        """Return what results.json says of it."""
        return {
            "median_seconds": round(self.median, 4),
            "spread": round(self.spread, 3),
            "runs_seconds": [round(run, 4) for run in self.runs],
        }


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds some work takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def in_turns(works: Sequence[Callable[[], float]], repeats: int = REPEATS) -> tuple[Seconds, ...]:
    """Run things one after the other, several rounds: what else the machine does hits all alike.

    Args:
        works: Each returns the seconds it counts.
        repeats: Number of rounds.
    """
    rounds = [[work() for work in works] for _ in range(repeats)]
    return tuple(Seconds(runs) for runs in zip(*rounds, strict=True))
