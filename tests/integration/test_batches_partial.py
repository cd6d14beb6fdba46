"""What documents without a version, of which each sets some columns, do to a check."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.codes import State
from tests.support.loading import column, load
from tests.support.samples import STORE, checks, full_check
from tests.support.warehouse import DATA_TABLES, Warehouse


def test_a_partial_document_sets_what_it_sends_and_leaves_the_rest_alone(
    warehouse: Warehouse,
) -> None:
    """Missing is not null, and nothing is removed."""
    line = {"guestCheckLineItemId": 1, "dspTtl": 5, "menuItem": {"miNum": 7, "prcLvl": 1}}
    full = full_check(1, gstCnt=2, subTtl=10, new=1, taxes=[{"taxNum": 1}], detailLines=[line])
    load(warehouse, checks(full))
    partial = {
        "guestCheckId": 1,
        "gstCnt": 3,
        "subTtl": None,
        "newer": 2,
        "detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"prcLvl": 4}}],
    }
    assert State.LOADED == load(warehouse, checks(partial), number=1)
    [check] = warehouse.rows("guest_checks")
    assert (3, None, {"new": 1, "newer": 2}) == (
        check["gst_cnt"],
        check.get("sub_ttl"),
        check["extra"],
    )
    assert datetime(2024, 1, 1, 10, tzinfo=UTC) == check["last_updated_utc"]
    assert [1] == column(warehouse, "taxes", "tax_num")
    [stored] = warehouse.rows("detail_lines")
    assert (5, 7, 4) == (stored["dsp_ttl"], stored["menu_item_id"], stored["prc_lvl"])


def test_a_partial_document_older_than_the_check_s_sets_nothing(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, gstCnt=2)), number=2)
    partial = checks({"guestCheckId": 1, "gstCnt": 3})
    assert State.SUPERSEDED == load(warehouse, partial, number=1)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")


def test_a_partial_document_that_came_first_counts_once_the_full_one_is_there(
    warehouse: Warehouse,
) -> None:
    partial = {"guestCheckId": 1, "gstCnt": 3, "taxes": [{"taxNum": 2, "taxRate": 9}]}
    load(warehouse, checks(partial), number=2)
    assert [3] == column(warehouse, "guest_checks", "gst_cnt")
    load(warehouse, checks(full_check(1, gstCnt=2, chkNum=4, taxes=[{"taxNum": 1}])), number=1)
    [check] = warehouse.rows("guest_checks")
    assert (3, 4) == (check["gst_cnt"], check["chk_num"])
    assert [1, 2] == column(warehouse, "taxes", "tax_num")


def test_a_full_document_newer_than_the_partial_one_replaces_what_that_set(
    warehouse: Warehouse,
) -> None:
    """A removed row keeps what it said last."""
    load(warehouse, checks({"guestCheckId": 1, "gstCnt": 3, "taxes": [{"taxNum": 2, "type": 9}]}))
    load(warehouse, checks(full_check(1, gstCnt=2)), number=1)
    assert [2] == column(warehouse, "guest_checks", "gst_cnt")
    assert [] == warehouse.rows("taxes")
    assert [9] == [row["type"] for row in warehouse.removed("taxes")]


def test_a_line_that_only_partial_documents_know_has_a_type(warehouse: Warehouse) -> None:
    load(warehouse, checks({"guestCheckId": 1, "detailLines": [{"guestCheckLineItemId": 1}]}))
    [line] = warehouse.rows("detail_lines")
    assert ("unknown", False) == (line["line_type"], line["vd_flag"])


def test_a_null_version_does_not_erase_the_stored_one(warehouse: Warehouse) -> None:
    load(warehouse, checks(full_check(1, 2, gstCnt=2)))
    load(warehouse, checks({"guestCheckId": 1, "lastUpdatedUTC": None, "chkNum": 5}), number=1)
    load(warehouse, checks(full_check(1, 1, gstCnt=1)), number=2)
    [check] = warehouse.rows("guest_checks")
    assert (2, 5) == (check["gst_cnt"], check["chk_num"])


PARTIAL = {
    "guestCheckId": 1,
    "gstCnt": 3,
    "new": {"a": [1]},
    "taxes": [{"taxNum": 2, "taxRate": 9}],
    "detailLines": [
        {"guestCheckLineItemId": 1, "menuItem": {"miNum": 7}},
        {"guestCheckLineItemId": 2},
    ],
}


@pytest.mark.parametrize("known", [[], [full_check(1, gstCnt=2, taxes=[{"taxNum": 1}])]])
@pytest.mark.parametrize("key", ["raw/erp/a.json", "raw/erp/b.json"])
def test_a_partial_document_that_is_put_again_rewrites_no_row(
    warehouse: Warehouse, known: list[Any], key: str
) -> None:
    """What is known of its age is newer, but what it says is not."""
    load(warehouse, checks(*known), key="raw/erp/known.json")
    load(warehouse, checks(PARTIAL), number=1, key="raw/erp/a.json")
    before = data_versions(warehouse)
    assert all(before[table] for table in ("guest_checks", "taxes", "detail_lines"))
    for number in (1, 2):
        assert State.LOADED == load(warehouse, checks(PARTIAL), number=number, key=key)
        assert before == data_versions(warehouse)
    load(warehouse, checks(full_check(1, gstCnt=4)), number=2, key="raw/erp/later.json")
    assert [3] == column(warehouse, "guest_checks", "gst_cnt")


def data_versions(warehouse: Warehouse) -> dict[str, list[Any]]:
    """Return who wrote each row of data where; what a day stands at does change with its answers."""
    found = warehouse.versions([STORE])
    return {table: found[table] for table in DATA_TABLES}
