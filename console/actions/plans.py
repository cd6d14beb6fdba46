"""Plans: what an operator saw and confirmed, sealed; it acts on those messages and no others."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from console.access.sealing import Sealer
from console.data.database import Database, Row

Kind = Literal["replay", "purge"]
MOST_MESSAGES = 500  # of one plan: a person can still see what they confirm
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen: all of a cause, of one store or day, or a canary of some across stores."""

    cause: str
    store: str | None = None
    day: str | None = None
    canary: int | None = None

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """Return the choice that was sealed."""
        return cls(told["cause"], told["store"], told["day"], told["canary"])

    def shown(self) -> dict[str, Any]:
        """Return the choice as it is written down: only what was chosen."""
        told = {"cause": self.cause, "store": self.store, "day": self.day, "canary": self.canary}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of action, whose, what was chosen, and the messages that this means now."""

    kind: Kind
    actor: str
    choice: Choice
    messages: Sequence[Row]

    @property
    def ids(self) -> list[str]:
        """The messages' ids on the dead-letter queue."""
        return [message["message_id"] for message in self.messages]

    @property
    def matching(self) -> int:
        """How many messages the choice means, those included that are too many for one plan."""
        return int(self.messages[0]["matching"]) if self.messages else 0

    def seal(self, sealer: Sealer) -> str:
        """Return the plan as a form carries it."""
        choice = self.choice
        told = {"cause": choice.cause, "store": choice.store, "day": choice.day}
        told |= {"canary": choice.canary, "kind": self.kind, "actor": self.actor}  # type: ignore[dict-item]  # a number
        return sealer.seal({**told, "ids": _digest(self.ids)}, _SECONDS)


async def make_plan(database: Database, kind: Kind, actor: str, choice: Choice) -> Plan:
    """Choose the messages; raises ConsumerError when PostgreSQL does not answer."""
    limit = min(choice.canary or MOST_MESSAGES, MOST_MESSAGES)
    asked = {"cause": choice.cause, "store": choice.store, "day": choice.day}
    rows = await database.rows(
        "select_planned", **asked, canary=choice.canary is not None, limit=limit
    )
    return Plan(kind, actor, choice, rows)


async def reopen_plan(database: Database, sealer: Sealer, sealed: str, actor: str) -> Plan | None:
    """Return the plan that was confirmed; None if it is not ours, too old, or means others now.

    Raises:
        ConsumerError: PostgreSQL does not answer.
    """
    told = sealer.open(sealed)
    if told is None or told["actor"] != actor:
        return None
    plan = await make_plan(database, told["kind"], actor, Choice.of(told))
    return plan if plan.messages and _digest(plan.ids) == told["ids"] else None


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
