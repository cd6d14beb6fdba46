"""The pull targets of a plan: every endpoint of every store on every day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from runtime.errors import SettingsInvalid
from schemas.keys import store_day_prefix
from schemas.registry import ENDPOINTS, ENDPOINTS_BY_NAME, Endpoint

# S3 takes keys of 1,024 bytes; the rest is for the name under the store-day's prefix.
_MAX_PREFIX_CHARS = 980
# Oracle's locRef: free text up to 99 characters.
_MAX_STORE_CHARS = 99


@dataclass(frozen=True, slots=True)
class PullTarget:
    """One answer to ask for: an endpoint on one store and business date."""

    endpoint: Endpoint
    store_id: str
    bus_dt: date

    def subject(self) -> dict[str, str]:
        """Return the fields of a log event or a report."""
        return {
            "store": self.store_id,
            "business_date": self.bus_dt.isoformat(),
            "endpoint": self.endpoint.name,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The targets of one run, as three lists; `make_plan` checks them."""

    first_day: date
    last_day: date
    stores: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]

    @property
    def day_count(self) -> int:
        """The number of business dates, both ends included."""
        return (self.last_day - self.first_day).days + 1

    @property
    def target_count(self) -> int:
        """The number of targets, without iterating over them."""
        return self.day_count * len(self.stores) * len(self.endpoints)

    def targets(self, *, last_day_first: bool = False) -> Iterator[PullTarget]:
        """Yield the targets, oldest day first, except for the last day if that is to be first."""
        offsets = range(self.day_count)
        for offset in (*offsets[-1:], *offsets[:-1]) if last_day_first else offsets:
            bus_dt = self.first_day + timedelta(days=offset)
            for store_id in self.stores:
                for endpoint in self.endpoints:
                    yield PullTarget(endpoint, store_id, bus_dt)


def make_plan(
    first_day: date, last_day: date, stores: tuple[str, ...], endpoint_names: tuple[str, ...]
) -> Plan:
    """Make a plan, without endpoint names of all five; raises SettingsInvalid."""
    if first_day > last_day:
        raise SettingsInvalid(
            f"--from {first_day} is after --to {last_day}; swap them, or leave out --to to "
            "pull one day"
        )
    store_ids = tuple(dict.fromkeys(store.strip() for store in stores))
    if not store_ids:
        raise SettingsInvalid(
            "no store to pull: give --store or --stores-file, or set STORES=… in .env"
        )
    for store_id in store_ids:
        _check_store(store_id)
    unknown = [name for name in endpoint_names if name not in ENDPOINTS_BY_NAME]
    if unknown:
        raise SettingsInvalid(
            f"unknown endpoint {', '.join(unknown)}; the endpoints are "
            f"{', '.join(ENDPOINTS_BY_NAME)}"
        )
    chosen = tuple(e for e in ENDPOINTS if not endpoint_names or e.name in endpoint_names)
    return Plan(first_day, last_day, store_ids, chosen)


def _check_store(store_id: str) -> None:
    if not store_id:
        raise SettingsInvalid("a store id is empty; remove it, or name the store")
    # Nor are lone surrogates printable, which stand for bytes that are not UTF-8.
    if not store_id.isprintable():
        raise SettingsInvalid(
            f"store id {store_id!a} contains unprintable characters; type it again"
        )
    longest = max(ENDPOINTS, key=lambda endpoint: len(endpoint.name))
    prefix = store_day_prefix(longest.source, date.min, store_id)
    if len(store_id) > _MAX_STORE_CHARS or len(prefix) > _MAX_PREFIX_CHARS:
        raise SettingsInvalid(
            f"store id {store_id!r} is longer than {_MAX_STORE_CHARS} characters, or than an S3 "
            "key allows; correct it"
        )
