"""A pull of what the lake already holds: what is asked for, compared and written again."""

import gzip
from datetime import UTC, datetime, timedelta

from producer.lake import LakeObject
from producer.pulling.targets import make_plan
from schemas.keys import ApiKey, api_key, parse_key
from schemas.registry import ENDPOINTS
from tests.support.producer_fakes import FakeLake
from tests.support.pulling import FIRST, LAST, ONE_TARGET, PULLED_AT, ScriptedErp, run

THEN = PULLED_AT + timedelta(seconds=1)


def dated(cur_utc: str, checks: str = "[]") -> bytes:
    return f'{{"curUTC": "{cur_utc}", "locRef": "1", "guestChecks": {checks}}}'.encode()


async def test_a_final_answer_in_the_lake_is_not_asked_for_again(lake: FakeLake) -> None:
    plan = make_plan(FIRST, LAST, ("1", "A/B"), ())
    await run(plan, ScriptedErp(), lake)
    before = dict(lake.objects)
    erp = ScriptedErp()
    tally = await run(plan, erp, lake)
    assert (erp.asked, lake.objects) == ([], before)
    assert (tally.present, tally.stored, tally.is_complete) == (len(before), 0, True)


async def test_an_interrupted_range_goes_on_where_it_stopped(lake: FakeLake) -> None:
    plan = make_plan(FIRST, LAST, ("1", "2"), ())
    await run(plan, ScriptedErp(), lake)
    total = len(lake.objects)
    for key in list(lake.objects)[17:]:
        del lake.objects[key]
    erp = ScriptedErp()
    tally = await run(plan, erp, lake)
    assert (len(erp.asked), tally.present, tally.stored) == (total - 17, 17, total - 17)
    assert len(lake.objects) == total


async def test_an_answer_pulled_while_its_day_was_running_is_asked_for_again(
    lake: FakeLake,
) -> None:
    erp = ScriptedErp({"1": dated("1", "[1]")})
    erp.pulled_at = datetime(2024, 2, 29, 6, 59, tzinfo=UTC)  # 03:59 at the store
    await run(ONE_TARGET, erp, lake)
    tally = await run(ONE_TARGET, ScriptedErp({"1": dated("2", "[1, 2]")}), lake)
    assert (tally.stored, len(lake.objects)) == (1, 2)


async def test_an_answer_that_says_the_same_is_not_written_again(lake: FakeLake) -> None:
    """Only the time at which the ERP made it differs; the metadata is enough to see that."""
    await run(ONE_TARGET, ScriptedErp({"1": dated("2024-03-22T01:00:00")}), lake)
    erp = ScriptedErp({"1": dated("2024-03-22T02:00:00")})
    erp.pulled_at = THEN
    tally = await run(ONE_TARGET, erp, lake, force=True)
    assert (len(erp.asked), tally.unchanged, tally.stored, tally.is_complete) == (1, 1, 0, True)
    assert (len(lake.objects), len(lake.looked_at)) == (1, 1)


async def test_a_correction_is_written_beside_the_answer_it_corrects(lake: FakeLake) -> None:
    await run(ONE_TARGET, ScriptedErp({"1": dated("1", "[1]")}), lake)
    erp = ScriptedErp({"1": dated("2", "[1.0]")})
    erp.pulled_at = THEN
    tally = await run(ONE_TARGET, erp, lake, force=True)
    assert (tally.stored, tally.unchanged, len(lake.objects)) == (1, 0, 2)


async def test_an_answer_is_compared_with_the_newest_one_only(lake: FakeLake) -> None:
    """A correction that is taken back is news: the lake must end with what the ERP says now."""
    for number, checks in enumerate(("[1]", "[2]", "[1]", "[1]")):
        erp = ScriptedErp({"1": dated(str(number), checks)})
        erp.pulled_at = PULLED_AT + timedelta(seconds=number)
        await run(ONE_TARGET, erp, lake, force=True)
    assert [obj.body[-4:] for _, obj in sorted(lake.objects.items())] == [b"[1]}", b"[2]}", b"[1]}"]


async def test_an_answer_is_written_when_the_newest_has_no_digest(lake: FakeLake) -> None:
    """Somebody put it there by hand: nothing says that it is equal."""
    key = api_key(ENDPOINTS[0].source, FIRST, "1", PULLED_AT)
    lake.objects[key] = LakeObject(key, dated("1"), {})
    erp = ScriptedErp({"1": dated("1")})
    erp.pulled_at = THEN
    assert (await run(ONE_TARGET, erp, lake, force=True)).stored == 1


async def test_answers_may_be_stored_gzipped_and_are_compared_all_the_same(lake: FakeLake) -> None:
    body = dated("1")
    await run(ONE_TARGET, ScriptedErp({"1": body}), lake, gzip=True)
    (obj,) = lake.objects.values()
    assert obj.key.endswith("Z.json.gz")
    assert isinstance(parse_key(obj.key), ApiKey)
    assert (gzip.decompress(obj.body), obj.content_encoding) == (body, "gzip")
    tally = await run(ONE_TARGET, ScriptedErp({"1": dated("2")}), lake, force=True)
    assert (tally.unchanged, len(lake.objects)) == (1, 1)
