"""Records elsewhere than in their list at the root: an alias file says where, levels above are inherited."""

from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.documents.record_paths import unwrap
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.load.document import StagedDocument
from schemas.aliases import Aliases, load_aliases
from schemas.codes import ErrorCode
from schemas.keys import ApiKey, ErpKey
from schemas.registry import Source
from tests.support import samples

STORE, DAY = samples.STORE, samples.DAY
ROW, CHECK = {"transactionId": 1, "amount": 5}, {"guestCheckId": 7, "gstCnt": 2}


def paths(*texts: str, more: str = "") -> Aliases:
    listed = ", ".join(f'"{text}"' for text in texts)
    return load_aliases(f'[records]\n"*" = [{listed}]\n{more}')


def rows_of(root: Any, *texts: str, source: Source = Source.TRANSACTIONS, more: str = "") -> Any:
    """Unwrap a document and give its new root."""
    key = ErpKey() if source is Source.ERP else ApiKey(source, DAY, STORE)
    return unwrap(root, source, key, paths(*texts, more=more))[0]


def prepared(document: Any, *texts: str, source: Source = Source.TRANSACTIONS) -> Prepared:
    return samples.prepared(document, source, aliases=paths(*texts))


def staged(document: Any, *texts: str, source: Source = Source.TRANSACTIONS) -> StagedDocument:
    outcome = prepared(document, *texts, source=source)
    assert [] == outcome.quarantined
    return outcome.document


def refusal(document: Any, *texts: str, source: Source = Source.TRANSACTIONS) -> Permanent:
    with pytest.raises(Permanent) as refused:
        prepared(document, *texts, source=source)
    return refused.value


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ({"payload": {"storeId": STORE, "busDt": "2024-01-01", "data": [ROW]}}, "payload.data[]"),
        ({"storeId": STORE, "dados": [ROW]}, "dados[]"),
        ({"groups": [{"rows": [ROW]}, {"rows": []}, {"rows": None}, {"n": 4}]}, "groups[].rows[]"),
        ([ROW], "[]"),
        ([{"transactions": [ROW]}], "[].transactions[]"),
        ({"a": [{"b": {"c": [{"d": [ROW]}]}}]}, "a[].b.c[].d[]"),
        (ROW, "[]"),
    ],
)
def test_records_are_loaded_from_where_the_alias_file_says(root: Any, path: str) -> None:
    with pytest.raises(Permanent):
        samples.prepared(root, Source.TRANSACTIONS)
    document = staged(root, path)
    assert (1, STORE, DAY) == (
        document.record_count,
        document.frame.store_id,
        document.frame.bus_dt,
    )


def test_records_of_unknown_fields_are_loaded_where_the_alias_file_says() -> None:
    """What Oracle itself sends of cash has hardly a field that the contract names."""
    rows = [{"recNum": 4, "amt": 5.5}, {"recNum": 5, "amt": 1}]
    root = {"locRef": STORE, "revenueCenters": [{"rvcNum": 1, "details": rows}, {"rvcNum": 2}]}
    document = staged(root, "revenueCenters[].details[]", source=Source.CASH_MANAGEMENT)
    assert 2 == document.record_count


def test_store_day_and_time_of_any_level_are_the_document_s() -> None:
    root = {"curUTC": "2024-01-02T03:00:00", "data": [{"locRef": STORE, "guestChecks": [CHECK]}]}
    frame = staged(root, "data[].guestChecks[]", source=Source.ERP).frame
    assert (STORE, datetime(2024, 1, 2, 3, tzinfo=UTC), {}) == (
        frame.store_id,
        frame.as_of,
        frame.extra,
    )


def test_records_themselves_may_name_store_and_time() -> None:
    """An export of bare checks, one a line, has nowhere else to say it."""
    lines = b"".join(
        b'{"guestCheckId": %d, "locRef": "S", "curUTC": "2024-01-02T03:00:00"}\n' % number
        for number in (1, 2)
    )
    document = staged(lines, "[]", source=Source.ERP)
    assert (2, "S") == (document.record_count, document.frame.store_id)
    assert datetime(2024, 1, 2, 3, tzinfo=UTC) == document.frame.as_of


def test_a_scalar_above_goes_to_each_record_that_lacks_it_and_nothing_is_lost() -> None:
    centres = [
        {"rvcNum": 1, "type": "sale", "open": None, "manager": {"name": "A"}, "rows": [ROW, {}]},
        {"rvcNum": 2, "rows": [{"rvcNum": 9, "tipo": "refund"}]},
        {"rvcNum": 3, "rows": []},
    ]
    root = rows_of(
        {"centres": centres},
        "centres[].rows[]",
        more='[getTransactions]\n"transactions.type" = ["tipo"]',
    )
    assert [
        {**ROW, "rvcNum": 1, "type": "sale"},
        {"rvcNum": 1, "type": "sale"},
        {"rvcNum": 9, "tipo": "refund"},
    ] == root["transactions"]
    assert {"centres[].manager": [{"name": "A"}], "centres[].rvcNum": [3]} == {
        name: value for name, value in root.items() if name != "transactions"
    }


def test_a_record_s_other_name_of_a_field_is_its_own() -> None:
    root = {"centres": [{"type": "sale", "rows": [{"transactionId": 1, "tipo": "refund"}]}]}
    more = '[getTransactions]\n"transactions.type" = ["tipo"]'
    rows = rows_of(root, "centres[].rows[]", more=more)["transactions"]
    assert [{"transactionId": 1, "tipo": "refund"}] == rows


def test_the_ordinary_list_comes_first() -> None:
    root = {"transactions": [ROW, {"transactionId": 2}], "data": [ROW]}
    assert root is rows_of(root, "data[]")
    assert [ROW] == rows_of({"transactions": None, "data": [ROW]}, "data[]")["transactions"]
    renamed = {"rows": [ROW], "data": [ROW]}
    more = '[getTransactions]\n"transactions" = ["rows"]'
    assert renamed is rows_of(renamed, "data[]", more=more)


def test_the_path_with_records_is_taken_and_of_two_none() -> None:
    both = {"data": [ROW], "dados": [ROW]}
    assert ErrorCode.AMBIGUOUS_FIELD == refusal(both, "data[]", "dados[]").code
    documents = [{"transactions": [ROW]}]
    for texts in (("[]", "[].transactions[]"), ("[].transactions[]", "[]")):
        assert [ROW] == rows_of(documents, *texts)["transactions"]
        assert [ROW] == rows_of([ROW], *texts)["transactions"]


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ({"payload": {"storeId": STORE, "data": []}}, "payload.data[]"),
        ({"payload": {"storeId": STORE, "data": None}}, "payload.data[]"),
        ({"payload": {"storeId": STORE}}, "payload.data[]"),
        ({"payload": None, "storeId": STORE}, "payload.data[]"),
        ({"storeId": STORE, "centres": []}, "centres[].rows[]"),
        ([], "[]"),
        ([{"storeId": STORE, "transactions": []}], "[].transactions[]"),
    ],
)
def test_an_envelope_without_records_is_an_empty_day(root: Any, path: str) -> None:
    assert 0 == staged(root, path).record_count


@pytest.mark.parametrize(
    ("root", "path", "told"),
    [
        ({"payload": {"storeId": STORE, "items": [ROW]}}, "payload.data[]", "filled ('items')"),
        ({"payload": {"error": "down", "data": []}}, "payload.data[]", "error answer of the ERP"),
        ({"payload": {"hasMore": True, "data": [ROW]}}, "payload.data[]", "only a part"),
        ([{"hasMore": True, "transactions": [ROW]}], "[].transactions[]", "only a part"),
        ({"payload": {"totalCount": 2, "data": [ROW]}}, "payload.data[]", "with 1 of 2 records"),
        ([{"totalCount": 2, "transactions": [ROW]}], "[].transactions[]", "with 1 of 2 records"),
        ([{"transactions": [ROW]}, {"error": "down"}], "[].transactions[]", "error answer"),
        ({"c": [{"rows": [ROW]}, {"items": [ROW]}]}, "c[].rows[]", "c[1] has no rows, and 'items'"),
        ({"c": [{"rows": [ROW]}, None]}, "c[].rows[]", "c[1] is null, expected an object"),
        (
            {"c": [{"rows": [ROW]}, {"rows": {}}]},
            "c[].rows[]",
            "c[1].rows is dict, expected a list",
        ),
        ([{"error": "down"}], "[]", "error answer of the ERP"),
        ([{"storeId": STORE}, {"locRef": STORE}], "[]", "what is at [] does not look like records"),
        ([{"transactions": [ROW]}], "[]", 'getTransactions = ["[].transactions[]"]'),
        ({"error": "down"}, "[]", "error answer of the ERP"),
        ([ROW], "[].transactions[]", "[0] is itself a record"),
        ([{"transactions": [ROW]}, ROW], "[].transactions[]", "[1] is itself a record"),
        (
            {"storeId": STORE, "c": [{"rvcNum": 1}, {"rvcNum": 2}]},
            "c[].rows[]",
            "filled ('c[].rvcNum')",
        ),
        (b"null", "[]", "the document is null"),
    ],
)
def test_what_is_not_a_whole_answer_is_refused_wherever_its_records_are(
    root: Any, path: str, told: str
) -> None:
    """Taken for the day, it would remove rows of it."""
    refused = refusal(root, path)
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert told in str(refused)


@pytest.mark.parametrize(
    ("name", "values", "source"),
    [
        ("storeId", ("A", "B"), Source.ERP),
        ("curUTC", ("2024-01-01T00:00:00", "2024-01-01T01:00:00"), Source.ERP),
        ("storeId", ("A", "B"), Source.TRANSACTIONS),
        ("busDt", ("2024-01-01", "2024-01-02"), Source.TRANSACTIONS),
        ("curUTC", ("2024-01-01T00:00:00", "2024-01-01T01:00:00"), Source.TRANSACTIONS),
    ],
)
def test_several_stores_days_or_times_are_several_documents(
    name: str, values: tuple[str, str], source: Source
) -> None:
    own = source.entry.list_field
    record = CHECK if source is Source.ERP else ROW
    documents = [{"locRef": "A", own: [record]} | {name: value} for value in values]
    for document in documents:
        document.pop("locRef" if name == "storeId" else "", None)
    refused = refusal(documents, f"[].{own}[]", source=source)
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert f"{name} differs within the document ({values[0]}, {values[1]})" in str(refused)
    assert "send each as a file of its own" in str(refused)


def test_an_export_of_checks_may_hold_several_days() -> None:
    documents = [
        {"locRef": "A", "busDt": f"2024-01-0{day}", "guestChecks": [CHECK | {"guestCheckId": day}]}
        for day in (1, 2)
    ]
    document = staged(documents, "[].guestChecks[]", source=Source.ERP)
    assert (2, None) == (document.record_count, document.frame.bus_dt)
    assert {"[].busDt": ["2024-01-01", "2024-01-02"]} == document.frame.extra


def test_what_records_say_of_times_stays_with_them_where_it_differs() -> None:
    times = [ROW | {"curUTC": f"2024-01-0{day}T00:00:00"} for day in (1, 2)]
    assert staged(times, "[]").frame.as_of is None
    days = [CHECK | {"locRef": "A", "busDt": f"2024-01-0{day}"} for day in (1, 2)]
    assert staged(days, "[]", source=Source.ERP).frame.bus_dt is None
    rows = [ROW | {"busDt": f"2024-01-0{day}"} for day in (1, 2)]
    assert "busDt differs within the document" in str(refusal(rows, "[]"))


def test_records_of_another_store_than_the_key_s_are_a_mismatch() -> None:
    for root in ([ROW | {"storeId": "B"}], [{"storeId": "B", "transactions": [ROW]}]):
        refused = refusal(root, "[]", "[].transactions[]")
        assert ErrorCode.IDENTITY_MISMATCH == refused.code
    assert "storeId differs" in str(refusal([ROW | {"storeId": "A"}, ROW | {"locRef": "B"}], "[]"))


def test_a_level_that_contradicts_another_is_ambiguous() -> None:
    for inner in ({"storeId": "B"}, {"locRef": "B"}):
        refused = refusal({"storeId": STORE, "payload": inner | {"data": [ROW]}}, "payload.data[]")
        assert ErrorCode.AMBIGUOUS_FIELD == refused.code
    root = {"storeId": STORE, "centres": [{"storeId": "B", "rows": [ROW]}]}
    assert "storeId differs within the document" in str(refusal(root, "centres[].rows[]"))
    both = {"payload": {"transactions": [ROW], "data": [ROW]}}
    assert ErrorCode.AMBIGUOUS_FIELD == refusal(both, "payload.data[]").code


def test_unknown_fields_of_two_levels_are_both_kept() -> None:
    root = {"note": "outer", "payload": {"note": "inner", "data": [ROW]}}
    extra = staged(root, "payload.data[]").frame.extra
    assert {"note": "outer", "payload.note": "inner"} == extra


def test_a_bad_record_is_named_by_its_place_in_the_document() -> None:
    rows: list[Any] = [[ROW], [], [ROW, {"transactionId": 2, "amount": "much"}, 7]]
    root = {"centres": [{"rows": inner} for inner in rows]}
    outcome = prepared(root, "centres[].rows[]")
    assert ["centres[2].rows[1]", "centres[2].rows[2]"] == [bad.path for bad in outcome.quarantined]
    assert 2 == outcome.document.record_count


def test_a_key_named_twice_at_any_level_still_refuses_the_document() -> None:
    for text in (
        b'{"payload": {"note": "A", "note": "B", "data": [{"transactionId": 1}]}}',
        b'{"payload": {"data": [1], "data": [{"transactionId": 1}]}}',
    ):
        assert ErrorCode.AMBIGUOUS_FIELD == refusal(text, "payload.data[]").code


def test_a_key_named_twice_in_a_record_quarantines_only_that_one() -> None:
    text = b'{"payload": {"data": [{"transactionId": 1}, {"transactionId": 2, "amount": 1, "amount": 2}]}}'
    outcome = prepared(text, "payload.data[]")
    assert [("payload.data[1]", ErrorCode.AMBIGUOUS_FIELD)] == [
        (bad.path, bad.code) for bad in outcome.quarantined
    ]


def test_a_single_check_is_loaded_where_the_key_names_its_store() -> None:
    assert 1 == staged(CHECK, "[]", source=Source.GUEST_CHECKS).record_count
    refused = refusal(CHECK, "[]", source=Source.ERP)
    assert "storeId (or locRef) is missing, and the key names no store; add it" in str(refused)


def test_lines_of_json_are_a_list() -> None:
    lines = b'{"locRef": "A", "guestChecks": [{"guestCheckId": 1}]}\r\n\n' * 2
    assert 2 == staged(lines, "[].guestChecks[]", source=Source.ERP).record_count
    refused = refusal(lines, "data[]", source=Source.ERP)
    assert ErrorCode.JSON_MALFORMED == refused.code
    assert "the document is 2 JSON values, one a line (NDJSON)" in str(refused)
    assert 'getGuestChecks = ["[].guestChecks[]"]' in str(refused)


def test_the_path_s_own_source_is_the_only_one_that_has_it() -> None:
    aliases = load_aliases('[records]\ngetGuestChecks = ["data[]"]')
    assert 1 == len(aliases.record_paths(Source.ERP))
    assert ([ROW], None) == unwrap([ROW], Source.TRANSACTIONS, ErpKey(), aliases)


def test_a_document_too_large_to_be_read_at_once_is_refused_with_the_remedy() -> None:
    """In pieces, only documents with their list at the root are read."""
    big = {"filler": "x" * (13 << 20)}
    for root in ({"data": [ROW]}, {"transactions": [], "data": [ROW]}):
        refused = refusal({**root, **big}, "data[]")
        assert ErrorCode.OBJECT_TOO_LARGE == refused.code
        assert "split it" in str(refused)
    assert 1 == staged({"storeId": STORE, "transactions": [ROW], **big}, "data[]").record_count
