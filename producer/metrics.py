"""Every metric of the daemon and its meaning; served as Prometheus text."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from producer.tally import Tally
from runtime.emf import EmfMetric

# For METRICS_EMF_SECONDS: what alarms and a dashboard need, as each is billed.
CLOUDWATCH = (
    EmfMetric("AnswersStored", "coco_producer_answers_total", {"outcome": ("stored",)}),
    EmfMetric("AnswersUnchanged", "coco_producer_answers_total", {"outcome": ("unchanged",)}),
    EmfMetric("AnswersFailed", "coco_producer_answers_total", {"outcome": ("failed",)}),
    EmfMetric("RoundsComplete", "coco_producer_rounds_total", {"result": ("complete",)}),
    EmfMetric("RoundsIncomplete", "coco_producer_rounds_total", {"result": ("incomplete",)}),
    EmfMetric("AnswersMissing", "coco_producer_round_missing"),
    EmfMetric("RoundDuration", "coco_producer_round_seconds", unit="Seconds"),
)
_OUTCOMES = ("stored", "unchanged", "failed")


class Metrics:
    """The daemon's metrics, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.answers = Counter(
            "coco_producer_answers", "Answers asked for, by outcome", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self.stored_bytes = Counter(
            "coco_producer_stored_bytes", "Bytes written to the lake", registry=registry
        )
        self.rounds = Counter(
            "coco_producer_rounds", "Rounds, by result: complete, incomplete, or leased_elsewhere "
            "when other producers held every store", ["result"],
            registry=registry,
        )  # fmt: skip
        self.round_seconds = Gauge(
            "coco_producer_round_seconds", "Duration of the last round", registry=registry
        )
        self.round_missing = Gauge(
            "coco_producer_round_missing",
            "Answers that the last round did not get, by reason: failed, skipped (their store or "
            "endpoint kept failing) or untried", ["reason"],
            registry=registry,
        )  # fmt: skip
        self.round_running = Gauge(
            "coco_producer_round_running", "1 while a round is under way", registry=registry
        )
        self.stores_leased_elsewhere = Gauge(
            "coco_producer_stores_leased_elsewhere",
            "Stores that the last round did not pull because another producer held their leases",
            registry=registry,
        )
        self.last_complete = Gauge(
            "coco_producer_last_complete_timestamp_seconds",
            "Unix time at which a round last ended with nothing missing",
            registry=registry,
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Make every series: an alert does not see the first value of one that is born with it."""
        for outcome in _OUTCOMES:
            self.answers.labels(outcome)
        for result in ("complete", "incomplete", "leased_elsewhere"):
            self.rounds.labels(result)
        for reason in ("failed", "skipped", "untried"):
            self.round_missing.labels(reason)

    def begin_round(self, tally: Tally) -> None:
        """Add to the counters whatever the round's tally counts from now on."""
        self.round_running.set(1)
        known = dict.fromkeys((*_OUTCOMES, "stored_bytes"), 0)

        def on_change(tally: Tally) -> None:
            for outcome in _OUTCOMES:
                count = getattr(tally, outcome)
                self.answers.labels(outcome).inc(count - known[outcome])
                known[outcome] = count
            self.stored_bytes.inc(tally.stored_bytes - known["stored_bytes"])
            known["stored_bytes"] = tally.stored_bytes

        tally.on_change = on_change

    def end_round(self, tally: Tally, result: str, seconds: float) -> None:
        """Record how a round ended, how long it took and what it did not get."""
        self.round_running.set(0)
        self.rounds.labels(result).inc()
        self.round_seconds.set(seconds)
        self.round_missing.labels("failed").set(tally.failed)
        self.round_missing.labels("skipped").set(tally.skipped.total())
        self.round_missing.labels("untried").set(tally.untried)
        if result == "complete":
            self.last_complete.set_to_current_time()
