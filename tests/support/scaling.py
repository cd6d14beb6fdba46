"""What the scaling policies of deploy/terraform/service do, minute by minute.

Target tracking as the Application Auto Scaling User Guide describes it: out in proportion after
three minutes above the target, in after fifteen minutes below nine tenths of it, each with its
cooldown. Metrics are a minute old, and a task takes two minutes to start.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

SCALING = Path(__file__).parent.parent.parent / "deploy" / "terraform" / "service" / "scaling.tf"
MINUTES_ABOVE, MINUTES_BELOW, BELOW = 3, 15, 0.9
START_MINUTES = 2

# Messages waiting, messages held, tasks running; to what each task has.
Formula = Callable[[int, int, int], float]


def formula_of_the_module() -> Formula:
    """Return the metric math of the module; its FILL and IF are functions, the rest is Python too."""
    [expression] = re.findall(r'backlog_expression = "(.+)"', SCALING.read_text(encoding="utf-8"))
    compiled = compile(expression, str(SCALING), "eval")
    functions: dict[str, Any] = {
        "__builtins__": {},
        "FILL": lambda value, other: other if value is None else value,
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
    }

    @cache
    def formula(waiting: int, held: int, tasks: int) -> float:
        # CloudWatch has no RunningTaskCount of a service without tasks.
        values = {"waiting": waiting, "held": held, "tasks": tasks or None}
        return float(eval(compiled, functions, values))  # noqa: S307 - our own module's text

    return formula


@dataclass(frozen=True)
class Policy:
    """The variables of the module, and how much a task loads and holds."""

    formula: Formula
    least: int = 1
    most: int = 4
    target: float = 500
    out_cooldown_minutes: int = 3
    in_cooldown_minutes: int = 10
    loads_per_minute: int = 6000
    holds: int = 200


@dataclass
class Fleet:
    """The tasks and the queue, as they are now, and what came of them so far."""

    policy: Policy
    running: int
    starting: list[int] = field(default_factory=list)
    waiting: int = 0
    held: int = 0
    changes: list[tuple[int, int, int]] = field(default_factory=list)  # minute, from, to
    task_minutes: int = 0
    stopped_while_holding: int = 0
    _above: int = 0
    _below: int = 0
    _changed_at: int = -1000

    @property
    def tasks(self) -> int:
        """How many run or start."""
        return self.running + len(self.starting)

    def minute(self, now: int, arriving: int, *, is_loading: bool = True) -> None:
        """Let a minute pass: tasks start, messages come and are loaded, scaling looks and acts."""
        metric = self.policy.formula(self.waiting, self.held, self.running)
        is_unattended = self.waiting > 0 and self.running == 0
        self.starting = [left - 1 for left in self.starting]
        self.running += self.starting.count(0)
        self.starting = [left for left in self.starting if left > 0]
        there = self.waiting + self.held + arriving
        there -= min(there, self.policy.loads_per_minute * self.running) if is_loading else 0
        self.held = min(there, self.policy.holds * self.running)
        self.waiting = there - self.held
        self.task_minutes += self.tasks
        self._set(now, self._wanted(now, metric, is_unattended=is_unattended))

    def _wanted(self, now: int, metric: float, *, is_unattended: bool) -> int:
        policy, since = self.policy, now - self._changed_at
        self._above = self._above + 1 if metric > policy.target else 0
        self._below = self._below + 1 if metric < BELOW * policy.target else 0
        in_proportion = ceil(max(self.running, 1) * metric / policy.target)
        wanted = self.tasks
        is_above = self._above >= MINUTES_ABOVE and since >= policy.out_cooldown_minutes
        is_below = self._below >= MINUTES_BELOW and since >= policy.in_cooldown_minutes
        if is_above:
            wanted = max(wanted, in_proportion)
        elif is_below:
            wanted = min(wanted, in_proportion)
        elif policy.least == 0 and is_unattended and not self.starting:
            wanted = 1
        return max(policy.least, min(policy.most, wanted))

    def _set(self, now: int, wanted: int) -> None:
        if wanted == self.tasks:
            return
        self.changes.append((now, self.tasks, wanted))
        self._changed_at = now
        self.starting += [START_MINUTES] * (wanted - self.tasks)
        if wanted < self.running:
            # What a stopped task held is given back.
            self.running = wanted
            kept = min(self.held, self.policy.holds * wanted)
            self.stopped_while_holding += self.held > kept
            self.waiting, self.held = self.waiting + self.held - kept, kept
