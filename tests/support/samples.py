"""Documents, and object versions around them, as the tests like to say them."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, prepare
from consumer.load.document import Identity, StagedDocument
from schemas.aliases import Aliases, load_aliases
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, ErpKey, api_key
from schemas.registry import Source
from tests.support.json_text import json_bytes

STORE = "99 CB CB"
DAY = date(2024, 1, 1)
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
NO_LIMIT = 10**9
ALIASES = load_aliases()


def fetched(
    document: Any,
    source: Source = Source.ERP,
    *,
    store: str = STORE,
    day: date = DAY,
    number: int = 0,
    key: str | None = None,
) -> Fetched:
    """Give an object that was written `number` seconds after noon, its event with it."""
    data = json_bytes(document)
    time = NOON + timedelta(seconds=number)
    if source is Source.ERP:
        key_identity: ApiKey | ErpKey = ErpKey()
        key = key or "raw/erp/export.json"
    else:
        key_identity = ApiKey(source, day, store)
        key = key or api_key(source, day, store, NOON)
    event = ObjectEvent(
        "lake", key, "ObjectCreated:Put", event_time=time, sequencer=f"{number:X}", size_bytes=1
    )
    etag = hashlib.md5(data + str(number).encode(), usedforsecurity=False).hexdigest()
    identity = Identity(event, None, etag, time, NOON, 1)
    return Fetched(identity, source, key_identity, data)


def prepared(
    document: Any,
    source: Source = Source.ERP,
    *,
    aliases: Aliases | None = None,
    by_contract: bool = False,
    **where: Any,
) -> Prepared:
    """Prepare a document as the service does; `where` is what `fetched` takes.

    `by_contract`: without the fast path for plain records.
    """
    found = fetched(document, source, **where)
    if not by_contract:
        return prepare(found, aliases or ALIASES, NO_LIMIT)
    with patch("consumer.ingest.assembly.fast_path_of") as fast_path_of:
        fast_path_of.return_value.take.return_value = False
        return prepare(found, aliases or ALIASES, NO_LIMIT)


def staged(document: Any, source: Source = Source.ERP, **where: Any) -> StagedDocument:
    """Prepare a document that is expected to be without fault."""
    outcome = prepared(document, source, **where)
    assert [] == outcome.quarantined
    return outcome.document


def checks(*records: Any, store: str | None = STORE, **root: Any) -> dict[str, Any]:
    """Write a getGuestChecks document."""
    if store is not None:
        root["locRef"] = store
    return {**root, "guestChecks": list(records)}


def day_list(source: Source, *rows: Any, store: str = STORE, **root: Any) -> dict[str, Any]:
    """Write the answer of one of the four list endpoints."""
    return {"storeId": store, "busDt": DAY.isoformat(), **root, source.entry.list_field: list(rows)}


def full_check(check_id: int = 1, version: int = 0, **fields: Any) -> dict[str, Any]:
    """Write a check of version `version`, in minutes after ten."""
    time = f"2024-01-01T{10 + version // 60}:{version % 60:02}:00"
    return {"guestCheckId": check_id, "lastUpdatedUTC": time, **fields}


def usual_check(number: int, **fields: Any) -> dict[str, Any]:
    """Write a full check with a tax and a line."""
    line = {
        "guestCheckLineItemId": number,
        "busDt": "2024-01-01",
        "dspTtl": 9.5,
        "menuItem": {"miNum": 7, "inclTax": 0.5, "activeTaxes": "28"},
    }
    record = full_check(
        number,
        subTtl=9.5,
        chkNum=number,
        taxes=[{"taxNum": 28, "taxCollTtl": 1}],
        detailLines=[line],
    )
    return record | fields


def without(record: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    """Take fields from a record, and give it others."""
    return {name: value for name, value in record.items() if name not in names} | more


def changed_line(number: int, *names: str, **more: Any) -> dict[str, Any]:
    """Write a usual check, fields taken from its line and others given to it."""
    check = usual_check(number)
    return check | {"detailLines": [without(check["detailLines"][0], *names, **more)]}
