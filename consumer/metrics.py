"""Every metric of the consumer, its meaning and its labels, in one place.

Names end in their unit. They are module-level objects, as the Prometheus client intends them: what
counts something imports its counter.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LAG_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_ROWS = (1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000, 200_000, 1_000_000)

MESSAGES_RECEIVED = Counter(
    "coco_messages_received", "Messages received from the queue", registry=REGISTRY
)
MESSAGES_SETTLED = Counter(
    "coco_messages_settled",
    "Messages settled, by how: deleted, dead_lettered, retried, abandoned or released",
    ["outcome"],
    registry=REGISTRY,
)
OBJECTS_ENDED = Counter(
    "coco_objects_ended",
    "Announced objects by end state, and by error code where there is one",
    ["state", "code"],
    registry=REGISTRY,
)
IN_FLIGHT_MESSAGES = Gauge(
    "coco_in_flight_messages", "Messages held, from receipt to settlement", registry=REGISTRY
)
IN_FLIGHT_BYTES = Gauge(
    "coco_in_flight_bytes", "Announced bytes of the objects being worked on", registry=REGISTRY
)
LEASE_EXTENSIONS = Counter(
    "coco_lease_extensions", "Visibility timeouts extended", registry=REGISTRY
)
LEASE_LOSSES = Counter(
    "coco_lease_losses",
    "Leases that SQS no longer knew; their work was abandoned",
    registry=REGISTRY,
)
STAGE_SECONDS = Histogram(
    "coco_stage_seconds",
    "Time an object spends in a stage: fetch, prepare, load",
    ["stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "coco_batch_seconds", "Time of one transaction", buckets=_SECONDS, registry=REGISTRY
)
BATCH_ROWS = Histogram(
    "coco_batch_rows", "Rows staged for one transaction", buckets=_ROWS, registry=REGISTRY
)
LAG_SECONDS = Histogram(
    "coco_lag_seconds",
    "From an object's S3 event to the commit of its rows",
    buckets=_LAG_SECONDS,
    registry=REGISTRY,
)
BREAKER_OPEN = Gauge(
    "coco_breaker_open", "1 while work is suspended because something is down", registry=REGISTRY
)
