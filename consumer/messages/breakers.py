"""What may hold the receivers back."""

from dataclasses import dataclass

from consumer.ingest.byte_budget import Admission
from consumer.messages.failure_breaker import FailureWatch
from consumer.messages.outage_breaker import Breaker


@dataclass(frozen=True, slots=True)
class Gates:
    """All of them: what is received must have passed each."""

    admission: Admission
    breaker: Breaker
    watch: FailureWatch

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now."""
        if self.admission.is_full or self.breaker.is_open:
            return 0
        return self.watch.allowance(wanted)
