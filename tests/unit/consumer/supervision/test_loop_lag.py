"""Validating a large document leaves leases, health and stopping their turn."""

import asyncio
from time import process_time

import pytest

from consumer.decoding.parse import Decoded, decode
from consumer.ingest import prepare as preparation
from tests.support.samples import ALIASES, NO_LIMIT, fetched

MEBIBYTE = 2**20
LINE = b'{"guestCheckLineItemId":%d,"dspTtl":12.34,"menuItem":{"miNum":31,"inclTax":5.251234}}'
CHECK = (
    b'{"guestCheckId":%d,"lastUpdatedUTC":"2024-01-01T20:00:00","chkName":"%s","detailLines":[%s]}'
)


def export(size_bytes: int) -> bytes:
    """Write a document of about that size: ten lines a check, and a long name."""
    name = b"x" * 1000
    lines = [b",".join(LINE % (10 * number + at) for at in range(10)) for number in range(100)]
    checks = [CHECK % (number, name, lines[number % 100]) for number in range(size_bytes // 1990)]
    return b'{"locRef":"1","guestChecks":[' + b",".join(checks) + b"]}"


async def longest_wait_seconds(work: asyncio.Task[object]) -> float:
    """Return the longest time that others had to wait for their turn while it ran.

    In CPU time of this process, so that what else the machine does is not counted.
    """
    longest = 0.0
    while not work.done():
        before = process_time()
        await asyncio.sleep(0.005)
        longest = max(longest, process_time() - before)
    return longest


async def test_others_wait_less_than_a_second_while_a_large_document_is_validated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The parser lets nobody else run until it is done: it must not get too much at once."""
    parsed_bytes = []

    def counted(data: bytes) -> Decoded:
        parsed_bytes.append(len(data))
        return decode(data)

    monkeypatch.setattr(preparation, "decode", counted)
    document = fetched(export(15 * MEBIBYTE))
    work = asyncio.create_task(asyncio.to_thread(preparation.prepare, document, ALIASES, NO_LIMIT))
    longest = await longest_wait_seconds(work)
    assert (await work).document.record_count == 15 * MEBIBYTE // 1990
    assert longest < 1
    assert max(parsed_bytes) <= 12 * MEBIBYTE
