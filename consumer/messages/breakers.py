"""What may hold the receivers back."""

from dataclasses import dataclass

from consumer.ingest.byte_budget import ByteBudget
from consumer.messages.failure_breaker import FailureBreaker
from consumer.messages.outage_breaker import OutageBreaker


@dataclass(frozen=True, slots=True)
class Breakers:
    """All of them: what is received must have passed each."""

    byte_budget: ByteBudget
    breaker: OutageBreaker
    watch: FailureBreaker

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now."""
        if self.byte_budget.is_full or self.breaker.is_open:
            return 0
        return self.watch.allowance(wanted)
