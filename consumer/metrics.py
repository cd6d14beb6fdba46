"""Every metric of the consumer, its meaning and its labels, in one place.

Names end in their unit. They are module-level objects, as the Prometheus client intends them: what
counts something imports its counter. docs/operations.md says what to do with them.
"""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

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


class Cause(StrEnum):
    """Why work is suspended."""

    OUTAGE = "outage"
    FAILURE_BURST = "failure_burst"


MESSAGES_RECEIVED = Counter(
    "coco_messages_received", "Messages received from the queue", registry=REGISTRY
)
MESSAGES_SETTLED = Counter(
    "coco_messages_settled",
    "Messages settled, by outcome and by the error code that decided",
    ["outcome", "code"],
    registry=REGISTRY,
)
OBJECTS_ENDED = Counter(
    "coco_objects_ended",
    "Objects settled, by end state and error code",
    ["state", "code"],
    registry=REGISTRY,
)
IN_FLIGHT_MESSAGES = Gauge(
    "coco_in_flight_messages", "Messages held, from receipt to settlement", registry=REGISTRY
)
HELD_MESSAGES = Gauge(
    "coco_held_messages",
    "Messages that wait for something to be mended, by error code",
    ["code"],
    registry=REGISTRY,
)
IN_FLIGHT_BYTES = Gauge(
    "coco_in_flight_bytes", "Bytes taken from the byte budget", registry=REGISTRY
)
LEASE_EXTENSIONS = Counter(
    "coco_lease_extensions", "Visibility timeouts extended", registry=REGISTRY
)
LEASE_LOSSES = Counter(
    "coco_lease_losses",
    "Leases that ran out or that SQS no longer knew; the work was abandoned",
    registry=REGISTRY,
)
OBJECT_BYTES = Counter(
    "coco_object_bytes", "Bytes of the objects read, as stored", registry=REGISTRY
)
STAGE_SECONDS = Histogram(
    "coco_stage_seconds",
    "Time of an object in a stage: fetch, prepare, load",
    ["stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "coco_batch_seconds", "Time of one transaction", buckets=_SECONDS, registry=REGISTRY
)
BATCH_ROWS = Histogram(
    "coco_batch_rows", "Rows of one transaction", buckets=_ROWS, registry=REGISTRY
)
LAG_SECONDS = Histogram(
    "coco_lag_seconds",
    "From an object's S3 event to the commit of its rows",
    buckets=_LAG_SECONDS,
    registry=REGISTRY,
)
BREAKER_OPEN = Gauge(
    "coco_breaker_open",
    "1 while a breaker is open, by cause: outage or failure_burst",
    ["cause"],
    registry=REGISTRY,
)
BREAKER_OPENED = Counter(
    "coco_breaker_opened",
    "Times a breaker opened, by error code",
    ["code"],
    registry=REGISTRY,
)
DRIFT_FINDINGS = Gauge(
    "coco_drift_findings",
    "Findings of `consumer drift` when it was looked at last, by kind",
    ["kind"],
    registry=REGISTRY,
)
UNRECEIVED_OBJECTS = Gauge(
    "coco_unreceived_objects",
    "Objects of the lake's newest days, older than ten minutes, that no message told us of",
    registry=REGISTRY,
)
POOL_SESSIONS = Gauge(
    "coco_pool_sessions",
    "Database sessions: size (open), available (idle), waiting (requests for one)",
    ["state"],
    registry=REGISTRY,
)

for _cause in Cause:
    BREAKER_OPEN.labels(_cause)  # shown as 0 from the start
