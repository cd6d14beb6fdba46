"""Rows as they are copied: what a full document says, and what a partial one sets."""

import json
from typing import Any

import pytest

from consumer.load.document import StagedDocument
from consumer.rows.row_writer import STAGE_PATCHES, STAGE_SOLD
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.guest_checks import LINE_TYPES
from schemas.registry import Source
from tests.support.samples import checks, day_list, full_check, staged

PLACE = ("doc_no", "pos")
PATCH_COLUMNS = ("doc_no", "pos", "store_id", "table_name", "guest_check_id", "child_id", "patch")


def rows_of(document: StagedDocument, table: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a staging table's COPY text; cells that are NULL are left out."""
    spool = document.rows.tables.get(table)
    text = b"".join(spool.chunks()).decode() if spool else ""
    rows = [line.split("\t") for line in text.splitlines()]
    assert all(len(row) == len(columns) for row in rows)
    return [
        {name: cell for name, cell in zip(columns, row, strict=True) if cell != "\\N"}
        for row in rows
    ]


def lines_of(*lines: Any) -> list[dict[str, str]]:
    document = staged(checks(full_check(1, detailLines=list(lines))))
    return rows_of(document, DETAIL_LINES.stage, PLACE + DETAIL_LINES.columns)


def patches_of(*records: Any) -> list[tuple[str, str | None, dict[str, Any]]]:
    document = staged(checks(*records))
    rows = rows_of(document, STAGE_PATCHES, PATCH_COLUMNS)
    return [(row["table_name"], row.get("child_id"), json.loads(row["patch"])) for row in rows]


def test_a_full_check_is_a_row_with_its_taxes_and_lines() -> None:
    document = staged(
        checks(
            full_check(7, gstCnt=2, new="x", taxes=[{"taxNum": 28}]),
            full_check(8, detailLines=[{"guestCheckLineItemId": 1}]),
        )
    )
    headers = rows_of(document, GUEST_CHECKS.stage, PLACE + GUEST_CHECKS.columns)
    assert [("7", "0"), ("8", "1")] == [(row["guest_check_id"], row["pos"]) for row in headers]
    assert ("2", '{"new": "x"}') == (headers[0]["gst_cnt"], headers[0]["extra"])
    [tax] = rows_of(document, TAXES.stage, PLACE + TAXES.columns)
    assert ("7", "28") == (tax["guest_check_id"], tax["tax_num"])
    [line] = rows_of(document, DETAIL_LINES.stage, PLACE + DETAIL_LINES.columns)
    assert ("8", "1", "unknown") == (
        line["guest_check_id"],
        line["guest_check_line_item_id"],
        line["line_type"],
    )
    assert 4 == document.rows.row_count


@pytest.mark.parametrize(
    ("name", "detail", "columns"),
    [
        (
            "menuItem",
            {"miNum": 6042, "modFlag": True, "inclTax": "1.5", "activeTaxes": "1,5", "prcLvl": 3},
            {
                "menu_item_id": "6042",
                "mod_flag": "True",
                "incl_tax": "1.5",
                "active_taxes": "1,5",
                "prc_lvl": "3",
            },
        ),
        (
            "discount",
            {"dscNum": 1, "dscMiNum": 2, "inclTax": -3, "activeTaxes": "28"},
            {"dsc_num": "1", "dsc_mi_num": "2", "incl_tax": "-3", "active_taxes": "28"},
        ),
        ("serviceCharge", {"svcChgNum": 9, "inclTax": 1}, {"svc_chg_num": "9", "incl_tax": "1"}),
        ("tenderMedia", {"tmedNum": 4}, {"tmed_num": "4"}),
        (
            "errorCorrect",
            {"type": 1, "objectNum": 5},
            {"error_correct_type": "1", "object_num": "5"},
        ),
        (
            "errorCode",
            {"type": "v", "objectNum": 5},
            {"error_correct_type": "v", "object_num": "5"},
        ),
        ("other", {"detailType": 6, "detailNum": 7}, {"detail_type": "6", "detail_num": "7"}),
    ],
)
def test_a_sub_object_names_the_line_s_type_and_is_flattened(
    name: str, detail: Any, columns: dict[str, str]
) -> None:
    [line] = lines_of({"guestCheckLineItemId": 1, name: detail})
    expected = LINE_TYPES["errorCorrect" if name == "errorCode" else name]
    assert expected == line["line_type"]
    assert columns == {name: line[name] for name in columns}
    assert "extra" not in line


def test_of_two_sub_objects_the_first_in_the_contract_names_the_type_and_the_other_is_kept() -> (
    None
):
    [line] = lines_of(
        {
            "guestCheckLineItemId": 1,
            "tenderMedia": {"tmedNum": 4, "new": 1},
            "discount": {"dscNum": 2, "odd": True},
            "more": None,
        }
    )
    assert ("discount", "2") == (line["line_type"], line["dsc_num"])
    assert "tmed_num" not in line
    expected = {"more": None, "discount": {"odd": True}, "tenderMedia": {"tmedNum": 4, "new": 1}}
    assert expected == json.loads(line["extra"])


def test_a_line_without_a_sub_object_is_of_unknown_type() -> None:
    [line] = lines_of({"guestCheckLineItemId": 1, "menuItem": None})
    assert "unknown" == line["line_type"]


def test_of_two_children_with_one_id_the_later_counts() -> None:
    lines = lines_of(
        {"guestCheckLineItemId": 1, "dspTtl": 1}, {"guestCheckLineItemId": "1", "dspTtl": 2}
    )
    assert ["2"] == [line["dsp_ttl"] for line in lines]


def test_a_partial_check_sets_what_it_sends_and_nothing_else() -> None:
    record = {
        "guestCheckId": 1,
        "gstCnt": 2,
        "subTtl": None,
        "lastUpdatedUTC": None,
        "opnUTC": "2024-01-01T10:00:00",
        "new": [1],
        "taxes": [{"taxNum": 28, "type": 3}],
        "detailLines": [
            {"guestCheckLineItemId": 9, "vdFlag": True, "menuItem": {"miNum": 5, "odd": 1}},
            {"guestCheckLineItemId": 8},
        ],
    }
    expected = [
        (
            "guest_checks",
            None,
            {"opn_utc": "2024-01-01T10:00:00", "gst_cnt": 2, "sub_ttl": None, "+new": [1]},
        ),
        ("taxes", "28", {"type": 3}),
        (
            "detail_lines",
            "9",
            {"vd_flag": True, "line_type": "menu_item", "menu_item_id": 5, "+menuItem": {"odd": 1}},
        ),
        ("detail_lines", "8", {}),
    ]
    assert expected == patches_of(record)


def test_a_version_that_is_null_is_never_set() -> None:
    """It would erase the version of the full document that is stored."""
    [(_, _, patch)] = patches_of({"guestCheckId": 1, "lastUpdatedUTC": None})
    assert {} == patch


def sold(*records: Any) -> list[tuple[str, str | None, str | None]]:
    document = staged(checks(*records))
    columns = ("store_id", "menu_item_id", "first_seen", "last_seen")
    rows = rows_of(document, STAGE_SOLD, columns)
    return [(row["menu_item_id"], row.get("first_seen"), row.get("last_seen")) for row in rows]


def test_items_are_seen_on_their_line_s_day_or_else_their_check_s() -> None:
    item = {"menuItem": {"miNum": 5}}
    full = full_check(
        1,
        opnBusDt="2024-01-02",
        detailLines=[
            {"guestCheckLineItemId": 1, "busDt": "2024-01-03", **item},
            {"guestCheckLineItemId": 2, **item},
            {"guestCheckLineItemId": 3, "tenderMedia": {}},
        ],
    )
    partial = {"guestCheckId": 2, "detailLines": [{"guestCheckLineItemId": 4, **item}]}
    assert [("5", "2024-01-02", "2024-01-03")] == sold(full, partial)
    assert [("5", None, None)] == sold(partial)


@pytest.mark.parametrize("source", list(LIST_TABLES))
def test_a_row_of_a_list_carries_store_day_and_id(source: Source) -> None:
    document = staged(day_list(source, {"new": 1}, {"amount": "5.10"}), source)
    table = LIST_TABLES[source]
    rows = rows_of(document, table.stage, PLACE + table.columns)
    assert [("99 CB CB", "2024-01-01")] * 2 == [(row["store_id"], row["bus_dt"]) for row in rows]
    assert '{"new": 1}' == rows[0]["extra"]
