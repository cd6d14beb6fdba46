"""A small lake in which what happens in years has happened: documents and their objects."""

import json
from typing import Any

from tests.conftest import Lake
from tests.support.consuming import put

STORE, DAY, NEXT = "99 CB CB", "2024-03-01", "2024-03-02"


def check(number: int, minute: int = 0, **fields: Any) -> dict[str, Any]:
    """Write a check of that day, updated so many minutes after eight."""
    return {
        "guestCheckId": number,
        "opnBusDt": DAY,
        "clsdBusDt": DAY,
        "lastUpdatedUTC": f"2024-03-01T20:{minute:02}:00",
        "subTtl": 80.5,
        "gstCnt": 2,
        "loyalty": {"card": 7},
        "taxes": [{"taxNum": 7, "taxCollTtl": 5.25}],
        "detailLines": [
            {"guestCheckLineItemId": 1, "busDt": DAY, "dspTtl": 80.5, "menuItem": {"miNum": 31}}
        ],
    } | fields


def key(source: str, day: str, name: str, store: str = STORE) -> str:
    """Write the key of an answer."""
    folder = store.replace(" ", "%20")
    return f"raw/api_responses/{source}/busDt={day}/storeId={folder}/{name}.json"


def answer(*checks: dict[str, Any], at: str = "2024-03-02T03:00:00") -> bytes:
    """Write an answer of getGuestChecks."""
    return json.dumps({"curUTC": at, "locRef": STORE, "guestChecks": checks}).encode()


def transactions(*rows: dict[str, Any], at: str = "2024-03-02T03:00:00") -> bytes:
    """Write an answer of getTransactions."""
    told = {"curUTC": at, "storeId": STORE, "busDt": DAY, "transactions": rows}
    return json.dumps(told).encode()


def fill(lake: Lake) -> None:
    """Put a small story: a correction, a check over midnight, an export, a removed row."""
    gone_line = {"guestCheckLineItemId": 2, "dspTtl": 1, "menuItem": {"miNum": 32}}
    first = check(1, detailLines=[*check(1)["detailLines"], gone_line])
    over = check(3, clsdBusDt=None)
    closed = check(3, 30, clsdBusDt=NEXT, subTtl=99)
    put(lake, key("getGuestChecks", DAY, "1"), answer(first, check(2), over))
    put(lake, key("getGuestChecks", DAY, "2"), answer(check(1, 5, subTtl=75), check(2), over))
    put(lake, key("getGuestChecks", NEXT, "1"), answer(closed, at="2024-03-03T03:00:00"))
    exported = json.loads(answer(check(4)))
    exported["guestChecks"].append({"guestCheckId": 2, "tblName": "Varanda"})
    put(lake, "raw/erp/closing.json", json.dumps(exported).encode())
    rows = [{"transactionId": 1, "amount": 5}, {"transactionId": 2, "amount": 6}]
    put(lake, key("getTransactions", DAY, "1"), transactions(*rows))
    put(lake, key("getTransactions", DAY, "2"), transactions(rows[0], at="2024-03-02T04:00:00"))
