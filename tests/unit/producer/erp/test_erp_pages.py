"""An ERP that answers in pages: followed to the end and stored as one document, or refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from producer.erp.pages import join_pages
from producer.errors import AnswerRejected, ErpRefused
from producer.pulling.answers import read_answer
from schemas.registry import ENDPOINTS_BY_NAME
from tests.support.asking import SettingsFor, about, ask
from tests.support.producer_fakes import FakeErp

TRANSACTIONS = ENDPOINTS_BY_NAME["getTransactions"]
PATH = "/trans/getTransactions"


def page(number: int, **more: Any) -> dict[str, Any]:
    return {"storeId": "1", "busDt": "2024-01-01", "transactions": [{"amount": number}]} | more


def pages(*documents: dict[str, Any], **headers: str) -> Callable[[], web.Response]:
    """Give these answers in turn."""
    left = list(documents)
    return lambda: web.json_response(left.pop(0), headers=headers if left else {})


@pytest.mark.parametrize("prefix", ["", "v1/"])
@pytest.mark.parametrize(
    "second",
    [
        PATH + "?page=2",
        "?page=2",
        "{origin}/{prefix}trans/getTransactions?page=2",
        # as behind a proxy that ends TLS
        "http://127.0.0.1/{prefix}trans/getTransactions?page=2",
    ],
)
async def test_links_are_followed_and_the_pages_stored_as_one_document(
    erp_server: FakeErp, settings_for: SettingsFor, prefix: str, second: str
) -> None:
    link = second.format(origin=erp_server.url.rstrip("/"), prefix=prefix)
    asked: list[str] = []
    answers = pages(page(1, hasMore=True, next=link), page(2, hasMore=False, curUTC="x"))

    async def respond(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return answers()

    erp_server.respond = respond
    settings = settings_for(api_base_url=erp_server.url + prefix, api_token="s3cret")
    answer = await ask(settings, TRANSACTIONS)

    assert asked == [f"/{prefix}trans/getTransactions", f"/{prefix}trans/getTransactions?page=2"]
    assert [body for _, body, _ in erp_server.asked] == [
        {"busDt": "2024-01-01", "storeId": "1"}
    ] * 2
    assert erp_server.asked[1][2]["Authorization"] == "Bearer s3cret"
    assert json.loads(answer.body) == {
        "storeId": "1",
        "busDt": "2024-01-01",
        "transactions": [{"amount": 1}, {"amount": 2}],
        "curUTC": "x",
    }
    assert read_answer(answer, about("1", TRANSACTIONS)).more is None


async def test_the_link_header_is_followed(erp_server: FakeErp, settings_for: SettingsFor) -> None:
    answers = pages(page(1), page(2), Link=f'<{PATH}?page=2>; rel="next"')
    erp_server.answer_with(answers)
    answer = await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert [row["amount"] for row in json.loads(answer.body)["transactions"]] == [1, 2]


async def test_the_last_page_may_be_known_by_its_number(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    answers = pages(page(1, totalPages=2, next="?page=2"), page(2, totalPages=2))
    erp_server.answer_with(answers)
    answer = await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert json.loads(answer.body)["transactions"] == [{"amount": 1}, {"amount": 2}]


@pytest.mark.parametrize(
    ("more", "reason", "asked_count"),
    [
        ({"hasMore": True}, "a part of the day (hasMore)", 1),
        ({"nextPageToken": "abc"}, "a part of the day (nextPageToken)", 1),
        ({"next": "https://elsewhere.example/a"}, "is on another host", 1),
        ({"next": PATH}, "do not end", 3),
    ],
)
async def test_a_part_is_refused_when_the_rest_cannot_be_had(
    erp_server: FakeErp,
    settings_for: SettingsFor,
    more: dict[str, Any],
    reason: str,
    asked_count: int,
) -> None:
    """Never is a part taken for the day; nor is the token sent to another host."""
    erp_server.answer_with(lambda: web.json_response(page(1, **more)))
    with pytest.raises(AnswerRejected) as rejected:
        await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert reason in str(rejected.value)
    assert len(erp_server.asked) == asked_count


@pytest.mark.parametrize(
    "more", [{"totalCount": 2}, {"meta": {"total": "2"}}, {"page": {"total_results": 2}}]
)
async def test_fewer_records_than_the_answer_counts_are_not_the_day(
    erp_server: FakeErp, settings_for: SettingsFor, more: dict[str, Any]
) -> None:
    erp_server.answer_with(lambda: web.json_response(page(1, links=[{"rel": "self"}], **more)))
    with pytest.raises(AnswerRejected, match="1 of 2 records and does not say where the rest is"):
        await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert len(erp_server.asked) == 1


async def test_pages_that_hold_what_the_answer_counts_are_the_day(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    """The count is of all pages; one that changed between two pages is asked for again."""
    first = page(1, totalCount=2, next="?page=2")
    erp_server.answer_with(
        lambda: web.json_response(first),
        lambda: web.json_response(page(2, totalCount=3)),
        lambda: web.json_response(first),
        lambda: web.json_response(page(3, totalCount=2)),
    )
    answer = await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert [row["amount"] for row in json.loads(answer.body)["transactions"]] == [1, 3]


async def test_a_page_of_another_day_is_rejected(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    first = page(1, next="?page=2")
    erp_server.answer_with(*[lambda: web.json_response(first), another_day] * 3)
    with pytest.raises(AnswerRejected, match="another day: 2024-01-02"):
        await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)


def another_day() -> web.Response:
    return web.json_response(page(2, busDt="2024-01-02"))


async def test_a_failing_page_begins_the_answer_anew(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(
        lambda: web.json_response(page(1, next="?page=2")),
        lambda: web.Response(status=503),
        lambda: web.json_response(page(3, next="?page=2")),
        lambda: web.json_response(page(4)),
    )
    answer = await ask(settings_for(api_base_url=erp_server.url), TRANSACTIONS)
    assert [row["amount"] for row in json.loads(answer.body)["transactions"]] == [3, 4]


async def test_the_limit_of_an_answer_holds_for_all_its_pages(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(
        *[lambda n=n: web.json_response(page(n, next=f"?page={n}", x="x" * 700)) for n in range(9)]
    )
    settings = settings_for(api_base_url=erp_server.url, pull_max_answer_bytes=2048)
    with pytest.raises(ErpRefused, match="PULL_MAX_ANSWER_BYTES"):
        await ask(settings, TRANSACTIONS)


def test_joined_values_keep_their_text() -> None:
    """A number is not read and written again, nor is a text."""
    first = b'\xef\xbb\xbf { "a\\n": 1.50 , "rows" : [ {"x": 1e2, "y": "]\\u00e9"} ] ,"page":1}\n'
    second = b'{"rows":[],"more":null}'
    third = '{"rows":[[1.0],"é"], "more": 12345678901234567890.10}'.encode()
    assert join_pages([first, second, third]) == (
        '{"a\\n":1.50,"rows":[{"x": 1e2, "y": "]\\u00e9"},[1.0],"é"],"more":null}'.encode()
    )


def test_pages_without_a_list_are_rejected() -> None:
    with pytest.raises(AnswerRejected, match="without a list"):
        join_pages([b'{"a": 1}', b'{"a": 2}'])
