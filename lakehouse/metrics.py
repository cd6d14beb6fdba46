"""The metrics of `lakehouse run`."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from runtime.emf import EmfMetric

CLOUDWATCH = (
    EmfMetric("RoundsExported", "coco_lakehouse_rounds_total", {"result": ("exported",)}),
    EmfMetric("RoundsFailed", "coco_lakehouse_rounds_total", {"result": ("failed",)}),
    EmfMetric("RowsExported", "coco_lakehouse_rows_total"),
    EmfMetric("RoundDuration", "coco_lakehouse_round_seconds", unit="Seconds"),
)


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.rounds = Counter(
            "coco_lakehouse_rounds",
            "rounds by how they ended: exported, nothing_changed, failed",
            ["result"],
            registry=registry,
        )
        for result in ("exported", "nothing_changed", "failed"):
            self.rounds.labels(result)
        self.rows = Counter(
            "coco_lakehouse_rows", "rows written to Iceberg tables", registry=registry
        )
        self.bytes = Counter(
            "coco_lakehouse_bytes", "bytes of the files written", registry=registry
        )
        self.last_success = Gauge(
            "coco_lakehouse_last_success_timestamp_seconds",
            "when a round last ended with nothing left to export, Unix time",
            registry=registry,
        )
        self.round_seconds = Gauge(
            "coco_lakehouse_round_seconds", "how long the last round took", registry=registry
        )
