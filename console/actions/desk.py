"""What pages need to act: the seal of plans, the audit trail, and what carries actions out."""

from dataclasses import dataclass

from console.access.doors import Doors, open_doors
from console.access.sealing import Sealer
from console.actions.audit import Audit
from console.actions.carrying import Carrier
from console.data.servers import Servers


@dataclass(frozen=True)
class Desk:
    """The operators' side of one console."""

    doors: Doors
    audit: Audit
    carrier: Carrier

    @property
    def seal(self) -> Sealer:
        """What seals plans."""
        return self.doors.plans


def open_desk(servers: Servers) -> Desk:
    """Build it from the settings; connects to nothing."""
    audit = Audit(servers.settings)
    return Desk(open_doors(servers.settings), audit, Carrier(servers, audit))
