"""Which document wins: rules that only show when times contradict each other."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consumer.load.document import StagedDocument
from schemas.registry import Source
from tests.support.samples import NOON, checks, day_list, full_check, staged
from tests.support.warehouse import Warehouse


def written(
    document: Any, modified: int, announced: int, source: Source = Source.ERP
) -> StagedDocument:
    """Stage a document whose object was modified and announced so many seconds after noon."""
    ready = staged(document, source, number=announced, key=f"raw/{modified}-{announced}.json")
    times = {"last_modified": NOON + timedelta(seconds=modified)}
    return replace(ready, identity=replace(ready.identity, **times))


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_without_curutc_a_document_is_as_of_its_object_s_last_change_whenever_it_was_announced(
    warehouse: Warehouse, order: tuple[int, ...]
) -> None:
    """Of checks, of partial checks and of lists alike, in whatever order they arrive."""
    source = Source.TRANSACTIONS
    for number in order:
        times = {"modified": (1, 9, 5)[number], "announced": (8, 2, 7)[number]}
        records = (
            full_check(1, gstCnt=number),
            full_check(2),
            {"guestCheckId": 3, "gstCnt": number},
        )
        warehouse.load(written(checks(*records), **times))
        row = {"transactionId": 1, "amount": number}
        warehouse.load(written(day_list(source, row), **times, source=source))
    found = {row["guest_check_id"]: row.get("gst_cnt") for row in warehouse.rows("guest_checks")}
    assert {1: 1, 2: None, 3: 1} == found
    assert [1] == [row["amount"] for row in warehouse.rows("transactions")]


def test_children_are_replaced_with_their_check_whatever_their_own_times_say(
    warehouse: Warehouse,
) -> None:
    line = {"guestCheckLineItemId": 1, "lastUpdateUTC": "2024-12-31T00:00:00", "dspTtl": 1}
    later = {"guestCheckLineItemId": 1, "lastUpdateUTC": "2024-01-01T00:00:00", "dspTtl": 2}
    warehouse.load(staged(checks(full_check(1, 1, detailLines=[line]))))
    warehouse.load(staged(checks(full_check(1, 2, detailLines=[later])), number=1))
    assert [2] == [row["dsp_ttl"] for row in warehouse.rows("detail_lines")]


@pytest.mark.parametrize(("seconds", "counts"), [(9, False), (10, True), (11, True)])
@pytest.mark.parametrize("partial_first", [True, False])
def test_a_partial_document_sets_what_it_sends_unless_it_is_older_than_the_full_one(
    warehouse: Warehouse, seconds: int, *, counts: bool, partial_first: bool
) -> None:
    line = {"guestCheckLineItemId": 1, "dspTtl": 1, "refInfo1": "kept"}
    full = checks(
        full_check(1, gstCnt=1, taxes=[{"taxNum": 28, "taxRate": 1}], detailLines=[line]),
        curUTC="2024-06-01T12:00:10",
    )
    said = {"guestCheckId": 1, "gstCnt": 2, "taxes": [{"taxNum": 28, "taxRate": 2}]}
    said["detailLines"] = [{"guestCheckLineItemId": 1, "dspTtl": 2}]
    partial = checks(said, curUTC=f"2024-06-01T12:00:{seconds:02}")
    documents = [
        staged(full, number=1, key="raw/erp/full.json"),
        staged(partial, number=2, key="raw/erp/partial.json"),
    ]
    for document in reversed(documents) if partial_first else documents:
        warehouse.load(document)
    value = 2 if counts else 1
    [header], [tax] = warehouse.rows("guest_checks"), warehouse.rows("taxes")
    [stored] = warehouse.rows("detail_lines")
    assert (value, value, value) == (header["gst_cnt"], tax["tax_rate"], stored["dsp_ttl"])
    assert "kept" == stored["ref_info1"]


@pytest.mark.parametrize("version", [{"lastUpdatedUTC": "2024-01-01T10:00:00"}, {}])
def test_of_one_id_twice_in_a_file_the_later_counts_and_it_is_told(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    """Of checks of one version, of their taxes and lines, and of the rows of a list."""
    source = Source.TRANSACTIONS
    first, later = ({"taxNum": 28, "taxRate": rate} for rate in (1, 2))
    lines = [{"guestCheckLineItemId": 1, "dspTtl": total} for total in (1, 2)]
    check = {"guestCheckId": 1, **version, "taxes": [first, later], "detailLines": lines}
    warehouse.load(staged(checks({"guestCheckId": 1, **version, "gstCnt": 1})))
    warehouse.load(staged(checks({**check, "gstCnt": 1}, {**check, "gstCnt": 2}), number=1))
    rows = ({"transactionId": number, "amount": amount} for number, amount in ((1, 1), ("1", 2)))
    warehouse.load(staged(day_list(source, *rows), source))
    [header], [tax] = warehouse.rows("guest_checks"), warehouse.rows("taxes")
    [line], [row] = warehouse.rows("detail_lines"), warehouse.rows("transactions")
    assert (2, 2, 2, 2) == (header["gst_cnt"], tax["tax_rate"], line["dsp_ttl"], row["amount"])
    told = warehouse.query("SELECT path FROM schema_drift WHERE kind = 'duplicate' ORDER BY path")
    repeated = ["guestChecks", "guestChecks.detailLines", "guestChecks.taxes", "transactions"]
    assert repeated == [found["path"] for found in told]
