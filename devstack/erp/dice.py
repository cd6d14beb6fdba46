"""Repeatable chance: the same key always throws the same numbers, on every Python version."""

import hashlib
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


@lru_cache(maxsize=1024)
def key_of(*parts: object) -> int:
    """Return a 64-bit number that depends on every part's text and on nothing else."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


class Dice:
    """Chance from a key.

    Only `random.Random.random` is used: its sequence for an integer seed is the one thing the
    standard library promises never to change.
    """

    def __init__(self, key: int) -> None:
        self._random = random.Random(key).random  # noqa: S311 - repeatable data, not secrets

    def below(self, limit: int) -> int:
        """Return a whole number in [0, limit)."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return low + int(self._random() * (high - low + 1))

    def chance(self, percent: float) -> bool:
        """Say yes in `percent` of a hundred throws."""
        return self._random() * 100 < percent

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`, each as likely as the others."""
        return choices[int(self._random() * len(choices))]
