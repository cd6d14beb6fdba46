"""The faults of the chaos suite."""

from collections.abc import Iterator

from tests.support.chaos import Field
from tests.support.servers import FAST, IMMEDIATE

_LOOK_AGAIN_SECONDS = 0.1
_REQUESTS_CUT = 4  # at once, at least
_ANSWERS_TORN = 3


def kills(field: Field, number: int = 5) -> Iterator[float]:
    """Kill one consumer every second, in the middle of its work, and start it again."""
    for _ in range(number):
        while not (at_work := field.fleet.at_work()):
            yield _LOOK_AGAIN_SECONDS
        victim = field.random.choice(at_work)
        field.struck("kill")
        field.fleet.kill(victim)
        field.fleet.start(victim)
        yield 1.0


def database_outages(field: Field) -> Iterator[float]:
    """Stop PostgreSQL, first as a crash and then in order, and start it a little later."""
    for how in (IMMEDIATE, FAST):
        while not field.fleet.at_work():
            yield _LOOK_AGAIN_SECONDS
        field.struck("database outage")
        field.postgres.stop(how)
        yield 1.5
        field.postgres.start()
        yield 2.0


def endpoint_outages(field: Field, number: int = 2) -> Iterator[float]:
    """Break connections to S3 and SQS in mid-request, tear answers, and be gone for a while."""
    field.endpoint.latency_seconds = 0.05
    for _ in range(number):
        for break_all in (field.endpoint.interrupt, field.endpoint.cut):
            while field.endpoint.asking < _REQUESTS_CUT:
                yield 0.01
            field.struck("endpoint outage")
            field.strikes["requests cut"] += break_all()
            yield 1.5
            field.endpoint.mend()
        field.endpoint.tear(_ANSWERS_TORN)
        while field.endpoint.tears_left:
            yield _LOOK_AGAIN_SECONDS
        field.strikes["answers torn"] += _ANSWERS_TORN


def rolling_restarts(field: Field) -> Iterator[float]:
    """Replace one consumer after the other, as a deploy does, and the first one again."""
    for number in (1, 2, 3, 1):
        while number not in field.fleet.at_work():
            yield _LOOK_AGAIN_SECONDS
        field.struck("restart")
        field.fleet.stop(number)
        field.fleet.start(number)
        yield 0.3
