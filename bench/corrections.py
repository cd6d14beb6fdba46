"""The same answers an hour later: as they were but for `curUTC`, or with some of it corrected."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson

from bench.documents import Document

_CENT = Decimal("0.01")


def asked_again(
    documents: Sequence[Document], asked_at: datetime, *, one_in: int = 0, amount: bool = False
) -> list[Document]:
    """Return the answers to the same requests at another time.

    Args:
        documents: The answers.
        asked_at: The time; only answers of getGuestChecks tell it.
        one_in: Of so many checks one has a new total, a new line total and a new version.
        amount: Whether one amount of each list of transactions is another.
    """
    return [_corrected(document, asked_at, one_in, amount=amount) for document in documents]


def _corrected(document: Document, asked_at: datetime, one_in: int, *, amount: bool) -> Document:
    root = simplejson.loads(document.data, use_decimal=True)
    own = document.source.entry.list_field
    if "curUTC" in root:
        root["curUTC"] = asked_at.strftime("%Y-%m-%dT%H:%M:%S")
    for check in root[own][::one_in] if document.source.holds_checks and one_in else ():
        _correct(check, asked_at)
    if amount and own == "transactions":
        root[own][len(root[own]) // 2]["amount"] += _CENT
    data = simplejson.dumps(root, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return replace(document, data=data.encode())


def _correct(check: dict[str, Any], asked_at: datetime) -> None:
    check["subTtl"] = (check.get("subTtl") or 0) + _CENT
    check["lastUpdatedUTC"] = asked_at.strftime("%Y-%m-%dT%H:%M:%S")
    for line in (check.get("detailLines") or ())[:1]:
        line["dspTtl"] = (line.get("dspTtl") or 0) + _CENT
