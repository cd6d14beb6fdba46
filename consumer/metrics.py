"""Every metric of the consumer; docs/operations.md says what to do with them.

Each labelled series is there from the start, at 0: `increase()` does not see the first value of a
series that is born with it, and no alert would tell of the first dead letter.
"""

from enum import StrEnum
from functools import partial
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from runtime.emf import EmfMetric
from schemas.codes import ErrorCode, State

REGISTRY = CollectorRegistry()
_counter = partial(Counter, registry=REGISTRY)
_gauge = partial(Gauge, registry=REGISTRY)
_histogram = partial(Histogram, registry=REGISTRY)

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LAG_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_ROWS = (1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000, 200_000, 1_000_000)


class Settled(StrEnum):
    """How a message was settled."""

    DELETED = "deleted"  # all of it is loaded, superseded or ignored
    DEAD_LETTERED = "dead_lettered"  # at least one of its objects
    RETRIED = "retried"  # given back with a delay
    RELEASED = "released"  # given back at once: stopping, or a failure burst
    ABANDONED = "abandoned"  # its lease was lost
    KEPT = "kept"  # could not be settled; comes again when its visibility timeout ends


# What `consumer drift` finds (consumer/drift/findings.py)
DRIFT_KINDS = (
    "future_version",
    "suspected_rename",
    "missing",
    "retyped",
    "line_type",
    "duplicate",
    "unknown",
)


class Cause(StrEnum):
    """Why work is suspended."""

    OUTAGE = "outage"
    FAILURE_BURST = "failure_burst"


MESSAGES_RECEIVED = _counter("coco_messages_received", "Messages received from the queue")
MESSAGES_SETTLED = _counter(
    "coco_messages_settled",
    "Messages settled, by outcome and by the error code that decided",
    ["outcome", "code"],
)
OBJECTS_ENDED = _counter(
    "coco_objects_ended", "Objects settled, by end state and error code", ["state", "code"]
)
IN_FLIGHT_MESSAGES = _gauge("coco_in_flight_messages", "Messages held, from receipt to settlement")
OLDEST_MESSAGE_SECONDS = _gauge(
    "coco_oldest_message_seconds",
    "Age of the oldest message held, since it was first sent; 0 while none is",
)
HELD_MESSAGES = _gauge(
    "coco_held_messages", "Messages that wait for something to be mended, by error code", ["code"]
)
IN_FLIGHT_BYTES = _gauge("coco_in_flight_bytes", "Bytes taken from the byte budget")
LEASE_EXTENSIONS = _counter("coco_lease_extensions", "Visibility timeouts extended")
LEASE_LOSSES = _counter(
    "coco_lease_losses", "Leases that ran out or that SQS no longer knew; the work was abandoned"
)
OBJECT_BYTES = _counter("coco_object_bytes", "Bytes of the objects read, as stored")
STAGE_SECONDS = _histogram(
    "coco_stage_seconds",
    "Time of an object in a stage: fetch, prepare, load",
    ["stage"],
    buckets=_SECONDS,
)
BATCH_SECONDS = _histogram("coco_batch_seconds", "Time of one transaction", buckets=_SECONDS)
BATCH_ROWS = _histogram("coco_batch_rows", "Rows of one transaction", buckets=_ROWS)
LAG_SECONDS = _histogram(
    "coco_lag_seconds", "From an object's S3 event to the commit of its rows", buckets=_LAG_SECONDS
)
BREAKER_OPEN = _gauge(
    "coco_breaker_open", "1 while a breaker is open, by cause: outage or failure_burst", ["cause"]
)
BREAKER_OPENED = _counter("coco_breaker_opened", "Times a breaker opened, by error code", ["code"])
DRIFT_FINDINGS = _gauge(
    "coco_drift_findings",
    "Findings of `consumer drift` when it was looked at last, by kind",
    ["kind"],
)
UNRECEIVED_OBJECTS = _gauge(
    "coco_unreceived_objects",
    "Objects of the lake's newest days, older than ten minutes, that no message told us of",
)
POOL_SESSIONS = _gauge(
    "coco_pool_sessions",
    "Database sessions: size (open), available (idle), waiting (requests for one)",
    ["state"],
)

# For METRICS_EMF_SECONDS: what alarms and a dashboard need, as each is billed.
_CHANGED = ("missing", "suspected_rename", "future_version")
CLOUDWATCH = (
    EmfMetric("MessagesReceived", "coco_messages_received_total"),
    EmfMetric("ObjectsLoaded", "coco_objects_ended_total", {"state": (State.LOADED,)}),
    EmfMetric("ObjectsDeadLettered", "coco_objects_ended_total", {"state": (State.DEAD_LETTERED,)}),
    EmfMetric("MessagesRetried", "coco_messages_settled_total", {"outcome": (Settled.RETRIED,)}),
    EmfMetric("LeasesLost", "coco_lease_losses_total"),
    EmfMetric("MessagesInFlight", "coco_in_flight_messages"),
    EmfMetric("MessagesHeld", "coco_held_messages"),
    EmfMetric("OutageBreakerOpen", "coco_breaker_open", {"cause": (Cause.OUTAGE,)}),
    EmfMetric("FailureBreakerOpen", "coco_breaker_open", {"cause": (Cause.FAILURE_BURST,)}),
    EmfMetric("SessionsMissing", "coco_pool_sessions", {"state": ("waiting",)}),
    EmfMetric("FieldsChanged", "coco_drift_findings", {"kind": _CHANGED}),
    EmfMetric("ObjectsUnreceived", "coco_unreceived_objects"),
    EmfMetric("Lag", "coco_lag_seconds_sum", unit="Seconds", per="coco_lag_seconds_count"),
)

# What each labelled metric counts: for each of its labels the values that come together.
_SERIES: dict[Counter | Gauge | Histogram, list[tuple[tuple[str, ...], ...]]] = {
    MESSAGES_SETTLED: [
        ((Settled.DELETED, Settled.KEPT), ("", *ErrorCode)),
        ((Settled.DEAD_LETTERED, Settled.RETRIED), tuple(ErrorCode)),
        ((Settled.RELEASED, Settled.ABANDONED), ("",)),
    ],
    OBJECTS_ENDED: [
        ((State.LOADED, State.SUPERSEDED), ("",)),
        ((State.IGNORED,), ("", *ErrorCode)),
        ((State.DEAD_LETTERED,), tuple(ErrorCode)),
    ],
    HELD_MESSAGES: [(tuple(ErrorCode),)],
    STAGE_SECONDS: [(("fetch", "prepare", "load"),)],
    BREAKER_OPEN: [(tuple(Cause),)],
    BREAKER_OPENED: [(tuple(ErrorCode),)],
    DRIFT_FINDINGS: [(DRIFT_KINDS,)],
    POOL_SESSIONS: [(("size", "available", "waiting"),)],
}
for _metric, _sets in _SERIES.items():
    for _values in (values for labels in _sets for values in product(*labels)):
        _metric.labels(*_values)
