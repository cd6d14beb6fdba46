"""Keys say store and day the same way to both programs, whatever a store is called."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.keys import (
    ApiKey,
    ErpKey,
    api_key,
    error_log_key,
    is_folder_marker,
    parse_key,
    source_named,
    store_day_prefix,
)
from schemas.registry import ENDPOINTS, Source

DAY = date(2024, 1, 1)
PULLED_AT = datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
API_SOURCES = [endpoint.source for endpoint in ENDPOINTS]
YEAR_1000 = PULLED_AT.replace(year=1000, tzinfo=None)
STORES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=99
)
DAYS = st.dates(min_value=date(1000, 1, 1))


@given(st.sampled_from(API_SOURCES), DAYS, STORES, st.datetimes(min_value=YEAR_1000))
@example(Source.TRANSACTIONS, DAY, "99 CB CB", PULLED_AT)
@example(Source.TRANSACTIONS, DAY, "001", PULLED_AT)
@example(Source.TRANSACTIONS, DAY, "São João", PULLED_AT)
@example(Source.TRANSACTIONS, DAY, "A/B+C%20D%2F", PULLED_AT)
@example(Source.TRANSACTIONS, DAY, ".", PULLED_AT)
@example(Source.TRANSACTIONS, DAY, "..", PULLED_AT)
def test_a_key_that_was_built_says_what_it_was_built_from(
    source: Source, day: date, store: str, pulled_at: datetime
) -> None:
    key = api_key(source, day, store, pulled_at.replace(tzinfo=UTC))
    assert ApiKey(source, day, store) == parse_key(key)


@given(STORES)
def test_a_key_is_ascii_and_a_store_never_adds_a_folder_level(store: str) -> None:
    key = api_key(Source.CHARGE_BACK, DAY, store, PULLED_AT)
    assert key.isascii()
    folders = key.split("/")
    assert 6 == len(folders)
    assert not {".", ".."} & {folder.removeprefix("storeId=") for folder in folders}


def test_a_key_reads_as_the_layout_promises() -> None:
    expected = (
        "raw/api_responses/getGuestChecks/busDt=2024-01-01/storeId=99%20CB%20CB/"
        "20240102T030405.000678Z.json"
    )
    assert expected == api_key(Source.GUEST_CHECKS, DAY, "99 CB CB", PULLED_AT)


@given(st.lists(st.datetimes(min_value=YEAR_1000), min_size=2, max_size=5))
def test_keys_of_one_prefix_sort_by_time(times: list[datetime]) -> None:
    aware = [time.replace(tzinfo=UTC) for time in times]
    keys = [api_key(Source.CHARGE_BACK, DAY, "1", time) for time in aware]
    assert [api_key(Source.CHARGE_BACK, DAY, "1", time) for time in sorted(aware)] == sorted(keys)


def test_the_time_of_a_key_is_utc() -> None:
    elsewhere = PULLED_AT.astimezone(timezone(timedelta(hours=-3)))
    expected = api_key(Source.CHARGE_BACK, DAY, "1", PULLED_AT)
    assert expected == api_key(Source.CHARGE_BACK, DAY, "1", elsewhere)


def test_a_naive_time_makes_no_key() -> None:
    with pytest.raises(ValueError, match="time zone"):
        api_key(Source.CHARGE_BACK, DAY, "1", PULLED_AT.replace(tzinfo=None))


def test_an_empty_store_makes_no_key() -> None:
    with pytest.raises(ValueError, match="empty"):
        store_day_prefix(Source.CHARGE_BACK, DAY, "")


def test_an_export_has_no_store_day_prefix() -> None:
    with pytest.raises(ValueError, match="not an API endpoint"):
        store_day_prefix(Source.ERP, DAY, "1")


@pytest.mark.parametrize(
    "key", ["raw/erp/a.json", "raw/erp/2024/a b.json", "raw/erp/a.json.gz", "raw/erp/São.json"]
)
def test_an_export_may_be_called_anything_that_ends_in_json(key: str) -> None:
    assert ErpKey() == parse_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "raw/erp/a.csv",
        "raw/erp/a.json.tmp",
        "raw/a.json",
        "processed/a.json",
        "logs/errors/erp/2024/01/01/a.json",
        "raw/api_responses/getNothing/busDt=2024-01-01/storeId=1/a.json",
        "raw/api_responses/getChargeBack/busDt=2024-02-30/storeId=1/a.json",
        "raw/api_responses/getChargeBack/busDt=24-01-01/storeId=1/a.json",
        "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=/a.json",
        "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=1/deeper/a.json",
        "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=%FF/a.json",
        "raw/api_responses/getChargeBack/busDt=2024-01-01/storeId=1/a.csv",
        "raw/api_responses/getChargeBack/busDt=٢٠٢٤-01-01/storeId=1/a.json",
        "raw/api_responses/erp/busDt=2024-01-01/storeId=1/a.json",
        "",
    ],
)
def test_a_key_outside_the_layout_is_no_document_of_ours(key: str) -> None:
    assert parse_key(key) is None


@pytest.mark.parametrize("key", ["raw/", "raw/erp/", "raw/api_responses/getChargeBack/"])
def test_a_key_that_ends_in_a_slash_is_a_folder_marker(key: str) -> None:
    assert is_folder_marker(key)
    assert parse_key(key) is None


@given(st.text())
def test_any_text_is_read_as_a_key_without_a_crash(key: str) -> None:
    assert isinstance(parse_key(key), ApiKey | ErpKey | None)
    read = parse_key(f"raw/api_responses/getChargeBack/busDt=2024-01-01/storeId={key}/a.json")
    assert not isinstance(read, ApiKey) or (read.store_id and "\0" not in read.store_id)


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("raw/erp/a.json", Source.ERP),
        ("raw/001/20240131/getChargeBack.json.gz", Source.CHARGE_BACK),
        ("dados/getTransactions/ano=2024/x.json", Source.TRANSACTIONS),
        ("raw/getChargeBacks/derp.json", None),
    ],
)
def test_a_source_is_named_by_a_word_of_the_key(key: str, source: Source | None) -> None:
    assert source_named(key) is source


def test_an_error_log_lies_under_its_source_and_day_in_utc() -> None:
    failed_at = datetime(2024, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-3)))
    expected = "logs/errors/getChargeBack/2024/01/02/id%2F1.json"
    assert expected == error_log_key("getChargeBack", failed_at, "id/1")
