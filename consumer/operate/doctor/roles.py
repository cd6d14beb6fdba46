"""What each role needs: the calls that are tried and the rights that are asked for, and no others.

`run` is the service, `operate` are the people who look and replay. Without a role all is checked,
as for somebody who does everything, migrations included.
"""

from dataclasses import dataclass
from enum import StrEnum

from consumer.operate.doctor.database import RIGHTS, Rights

_RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
_SEND = ("sqs:SendMessage",)
_WRITTEN_BY_PEOPLE = (
    "forgotten_drift",
    "dead_letters",
    "causes",
    "operator_actions",
    "operator_action_items",
)
_READING = dict.fromkeys(RIGHTS, ("SELECT",))


class Role(StrEnum):
    """Who uses the settings and credentials that are checked."""

    RUN = "run"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Needs:
    """What somebody does to queues, bucket and tables."""

    queue: tuple[str, ...]  # beside looking at it
    dead_letters: tuple[str, ...]
    tables: Rights
    looks_at_dead_letters: bool = True
    looks_at_notification: bool = True
    reads_logs: bool = False
    writes_logs: bool = True
    runs: bool = True  # the service itself: its machine, timeouts and sessions are checked
    migrates: bool = False


ALL = Needs(
    queue=(*_RECEIVE, *_SEND),
    dead_letters=(*_RECEIVE, *_SEND),
    tables=RIGHTS,
    migrates=True,
)
NEEDS = {
    None: ALL,
    Role.RUN: Needs(
        queue=(*_RECEIVE, *_SEND),
        dead_letters=_SEND,
        tables=RIGHTS,
        looks_at_dead_letters=False,
        looks_at_notification=False,
    ),
    # `drift forget` and `dlq` write; `verify --repair`, `rebuild`, `prune` are for the owner
    Role.OPERATE: Needs(
        queue=_SEND,
        dead_letters=_RECEIVE,
        tables=_READING | {name: RIGHTS[name] for name in _WRITTEN_BY_PEOPLE},
        reads_logs=True,
        writes_logs=False,
        runs=False,
    ),
}
