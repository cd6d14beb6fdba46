"""What nobody would see by looking at the consumer alone: drift, and objects that never arrived.

Looked at every few minutes, for the metrics; `consumer status` looks once. Reads only.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from psycopg import AsyncConnection

from consumer.aws.s3 import Lake
from consumer.errors import where
from consumer.load.database import open_session
from consumer.metrics import DRIFT_FINDINGS, UNRECEIVED_OBJECTS
from consumer.operate.drift_report import KINDS, read_drift
from consumer.operate.reconcile import find_forgotten
from consumer.settings import ConsumerSettings
from schemas.keys import API_PREFIX, ERP_PREFIX
from schemas.layouts import OWN_LAYOUT, Layout
from schemas.registry import ENDPOINTS

log = structlog.get_logger()

_DAYS = 2  # business dates that answers are looked for: today's and yesterday's, UTC
_PAGES = 5  # of each prefix at most, a thousand objects each
_ARRIVING = timedelta(minutes=10)  # what was written later may still be on its way


async def keep_watch(settings: ConsumerSettings, lake: Lake, every_seconds: float) -> None:
    """Keep the metrics of drift and of unreceived objects up to date; run until cancelled.

    What cannot be asked is asked again the next time: an outage is told by its breaker.

    Args:
        settings: Where the database is.
        lake: The lake, to list.
        every_seconds: How often; 0 for never.
    """
    while every_seconds:
        try:
            await _look(settings, lake)
        except Exception as error:  # noqa: BLE001 - what only reports must not end the consumer
            log.warning("watch_failed", error=str(error), where=where(error))
        await asyncio.sleep(every_seconds)


async def _look(settings: ConsumerSettings, lake: Lake) -> None:
    kinds = [row["kind"] for row in await read_drift(settings)]
    for kind in KINDS:
        DRIFT_FINDINGS.labels(kind).set(kinds.count(kind))
    async with open_session(settings) as session:
        found = await find_unreceived(lake, session, settings.layout)
        UNRECEIVED_OBJECTS.set(len(found))


async def find_unreceived(
    lake: Lake, session: AsyncConnection[Any], layout: Layout = OWN_LAYOUT
) -> list[str]:
    """Return keys of the lake's newest days that have no ledger row, ten minutes after all.

    Looks at the answers of today's and yesterday's business dates (UTC), also where key templates
    name the day before the store, and at exports; at most 5,000 objects of each prefix.

    Raises:
        ConsumerError: S3 or PostgreSQL could not be asked.
    """
    now = datetime.now(UTC)
    found: list[str] = []
    for prefix in (ERP_PREFIX, *_newest_days(now, layout)):
        left = _PAGES
        async with aclosing(find_forgotten(lake, session, prefix, layout)) as pages:
            async for page in pages:
                found += [event.key for event in page if _is_late(event.event_time, now)]
                left -= 1
                if not left:
                    break
    return found


def _newest_days(now: datetime, layout: Layout) -> list[str]:
    days = [(now - timedelta(days=past)).date() for past in range(_DAYS)]
    own = [f"{API_PREFIX}{endpoint.name}/busDt={day}/" for endpoint in ENDPOINTS for day in days]
    return own + [prefix for day in days for prefix in sorted(layout.day_prefixes(day))]


def _is_late(written: datetime | None, now: datetime) -> bool:
    return written is None or now - written > _ARRIVING
