"""Dead letters, causes and actions as they are on record: many of them, and for whom."""

import psycopg
import pytest

from console.data import statements
from tests.support.console_days import DAY, Days
from tests.support.console_pages import Pages, pages_of
from tests.support.databases import conninfo

SECRET = "Maria of table nine"
CAUSE = "abcdefabcdef"
LETTER = """
INSERT INTO dead_letters (
    message_id, original_id, object_id, object_key, source, store_id, bus_dt, error_code, cause,
    error_message, error_log_key, attempts, failed_at, state
)
SELECT
    prefix || n, 'o' || prefix || n, %s, %s, 'getGuestChecks', '001', '2024-03-04',
    'records_invalid', %s, %s, 'log' || prefix || n, 1, now(), %s
FROM (SELECT %s::text AS prefix) AS p CROSS JOIN generate_series(1, %s) AS n
"""


class Letters:
    """Writes dead letters as a consumer leaves them."""

    def __init__(self, days: Days) -> None:
        self._days = days

    def add(
        self, prefix: str, *, count: int = 1, cause: str = CAUSE, key: str = "k",
        state: str = "waiting", number: int | None = None,
    ) -> None:  # fmt: skip
        """Add some of a cause."""
        self._days.execute(
            "INSERT INTO causes VALUES (%s, 'getGuestChecks', 'records_invalid', 'guestChecks', 'x')"
            " ON CONFLICT DO NOTHING",
            cause,
        )
        self._days.execute(LETTER, number, key, cause, f"quotes {SECRET}", state, prefix, count)

    def act(self, state: str, kind: str = "replay") -> int:
        """Let an action have all of them."""
        [(number,)] = self._days.execute(
            "INSERT INTO operator_actions (kind, actor, program, state, began_at) VALUES"
            " (%s, 'ana', 'console', 'done', now() - interval '1 minute') RETURNING action_id",
            kind,
        )
        self._days.execute(
            "INSERT INTO operator_action_items SELECT %s, message_id, object_key, %s, NULL,"
            " now() - interval '40 seconds' FROM dead_letters",
            number,
            state,
        )
        return int(number)

    def run(self, name: str, **asked: object) -> list[tuple[object, ...]]:
        """Run a statement of the console."""
        with psycopg.connect(**conninfo(self._days.variables)) as connection:
            cursor = connection.execute(statements.named(name), asked)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def letters(days: Days) -> Letters:
    return Letters(days)


async def test_viewers_read_no_value_of_a_record(days: Days, letters: Letters) -> None:
    """An error message may quote one; so may what operators see of a document, which is refused."""
    key = f"raw/api_responses/getGuestChecks/busDt={DAY}/storeId=001/x.json"
    number = days.object("001", DAY, state="dead_lettered", key=key, error_message=SECRET)
    letters.add("m", key=key, number=number)
    action = letters.act("replayed")
    [(letter,)] = days.execute("SELECT dead_letter_id FROM dead_letters")
    async with pages_of(days.variables) as pages:
        for address in (
            "/", "/live", "/drift", "/dead-letters", f"/dead-letters/{CAUSE}", f"/actions/{action}",
            f"/day/{DAY}/001", f"/find?q={key}", "/find?q=001", f"/find?q={DAY}",
        ):  # fmt: skip
            shown = await pages.get(address)
            assert (200, False) == (shown.status, SECRET in shown.text), address
        for address in (f"/dead-letters/{CAUSE}/{letter}", f"/plan?kind=purge&cause={CAUSE}"):
            assert 403 == (await pages.get(address)).status


async def test_more_causes_than_a_page_shows(pages: Pages, letters: Letters) -> None:
    """Each has its page with what can be done about it; the sum is of all."""
    for number in range(101):
        letters.add(f"{number}-", count=1 + (number > 0), cause=f"{number:012x}")
    assert "and 1 cause with fewer" in (await pages.get("/dead-letters")).text
    assert {(201, 101)} == {
        row[13:15] for row in letters.run("list_causes", cause=None, store=None, day=None)
    }
    assert "Replay all 1 …" in (await pages.get(f"/dead-letters/{0:012x}")).text


async def test_plans_and_actions_of_thousands_fit_a_page(
    pages: Pages, days: Days, letters: Letters
) -> None:
    key = f"raw/api_responses/getGuestChecks/busDt={DAY}/storeId=001/" + "x" * 900
    letters.add("00000000-0000-0000-0000-000000000000-", count=2000, key=key)
    plan = await pages.get(f"/plan?kind=purge&cause={CAUSE}")
    assert "2,000 match; one plan takes 500" in plan.text
    action = letters.act("replayed")
    # As `consumer dlq purge` writes down what it asked about.
    ids = "SELECT jsonb_agg(message_id) FROM dead_letters"
    days.execute(f"UPDATE operator_actions SET filter = jsonb_build_object('ids', ({ids}))")
    assert "00000000" in (await pages.get("/dead-letters")).text
    shown = await pages.get(f"/actions/{action}")
    assert "2,000 of 2,000" in shown.text
    assert "Only the first 500 are shown" in shown.text


def test_what_is_not_found_again_was_done_if_its_row_says_so(days: Days, letters: Letters) -> None:
    """A console was killed between SQS's answer and the item; what another holds is not gone."""
    letters.add("sent", state="replayed")
    letters.add("lost")
    for why, state in (("held", "waiting"), (None, "gone")):
        action = letters.act("planned")
        letters.run("end_items", action_id=action, done="replayed", why=why)
        ends = days.execute(
            "SELECT message_id, i.state, i.error_message, d.state FROM operator_action_items AS i"
            " JOIN dead_letters AS d USING (message_id) WHERE action_id = %s ORDER BY 1",
            action,
        )
        assert [("lost1", "missing", why, state), ("sent1", "replayed", None, "replayed")] == ends


@pytest.mark.parametrize(("state", "end"), [("loaded", "loaded"), ("dead_lettered", None)])
def test_what_comes_again_outdated_has_ended_in_an_empty_queue(
    days: Days, letters: Letters, state: str, end: str | None
) -> None:
    letters.add("m", state="replayed", number=days.object("001", DAY, state=state))
    asked = {"action_id": letters.act("replayed")}
    assert None is letters.run("list_items", **asked, is_drained=False)[0][7]
    assert end == letters.run("list_items", **asked, is_drained=True)[0][7]
