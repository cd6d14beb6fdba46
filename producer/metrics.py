"""What the daemon counts, by name and meaning; served as Prometheus text."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge

from producer.tally import Tally

_OUTCOMES = ("stored", "unchanged", "failed")


@dataclass
class Metrics:
    """The daemon's metrics, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        registry = self.registry
        self.answers = Counter(
            "producer_answers", "Answers asked for, by what became of them", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self.stored_bytes = Counter(
            "producer_stored_bytes", "Bytes written to the lake", registry=registry
        )
        self.rounds = Counter(
            "producer_rounds", "Rounds, by whether nothing is missing; left: every store was "
            "another producer's", ["result"],
            registry=registry,
        )  # fmt: skip
        self.round_seconds = Gauge(
            "producer_round_seconds", "How long the last round took", registry=registry
        )
        self.round_running = Gauge(
            "producer_round_running", "1 while a round is under way", registry=registry
        )
        self.stores_left = Gauge(
            "producer_stores_left",
            "Stores that the last round left to another producer, which pulled them just then",
            registry=registry,
        )
        self.last_complete = Gauge(
            "producer_last_complete_timestamp_seconds",
            "When a round last ended with nothing missing, Unix time",
            registry=registry,
        )
        for outcome in _OUTCOMES:
            self.answers.labels(outcome)
        for result in ("complete", "incomplete", "left"):
            self.rounds.labels(result)

    def follow(self, tally: Tally) -> None:
        """Count along with a tally from now on."""
        known = dict.fromkeys((*_OUTCOMES, "stored_bytes"), 0)

        def on_change(tally: Tally) -> None:
            for outcome in _OUTCOMES:
                count = getattr(tally, outcome)
                self.answers.labels(outcome).inc(count - known[outcome])
                known[outcome] = count
            self.stored_bytes.inc(tally.stored_bytes - known["stored_bytes"])
            known["stored_bytes"] = tally.stored_bytes

        tally.on_change = on_change
