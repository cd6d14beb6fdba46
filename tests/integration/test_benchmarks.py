"""The benchmarks still run on the loader that exists."""

import psycopg

from bench import chain_day, drift_cost, growing
from bench.databases import Server
from bench.documents import store_days
from bench.loading import load_seconds
from bench.peers import Contest
from consumer.settings import DatabaseSettings


def test_the_loader_and_its_peers_leave_the_same_rows(database: dict[str, str]):
    """COPY and the row-by-row script compare their row counts with the loader's themselves."""
    settings = DatabaseSettings(**{name.lower(): value for name, value in database.items()})
    contest = Contest(Server(settings), store_days(1))
    assert min(contest.loader(), contest.copy(), contest.row_by_row()) > 0
    assert contest.counts["guest_checks"] == 500


def test_what_counting_drift_costs_is_measured_on_the_code_that_counts(database: dict[str, str]):
    """The functions that it leaves out exist under their names; the rows are the same."""
    settings = DatabaseSettings(**{name.lower(): value for name, value in database.items()})
    contest = Contest(Server(settings), store_days(1))
    with drift_cost.without_counting():
        contest.loader()
    without = contest.counts
    contest.rows, contest.counts = {}, {}
    contest.loader()
    assert without == contest.counts


def test_growth_fills_a_history_and_loads_the_same_batches_beside_it(database: dict[str, str]):
    settings = DatabaseSettings(**{name.lower(): value for name, value in database.items()})
    server = Server(settings)
    found = growing.measure(server, growing.Size(1, 1, 1), growing.Size(2, 2, 1), rounds=1)
    assert found.rows["ingested_objects"] > 2 * 2 * 5 * 4
    assert found.rows["detail_lines"] >= 2 * 50 * 20
    assert found.batch_cost_growth > 0


def test_a_day_of_a_chain_has_the_lines_asked_for_and_hangs_together(database: dict[str, str]):
    settings = DatabaseSettings(**{name.lower(): value for name, value in database.items()})
    documents = store_days(1)
    with Server(settings).fresh("bench_chain") as here:
        load_seconds(here, [one.fetched() for one in documents])
        assert chain_day.spread(here, documents[0].store, 10_000) >= 10_000
        with psycopg.connect(**here.conninfo) as connection:
            [[orphans]] = connection.execute(
                "SELECT count(*) FROM detail_lines AS l LEFT JOIN guest_checks AS c USING (store_id, guest_check_id) LEFT JOIN menu_items AS i ON (i.store_id, i.menu_item_id) = (l.store_id, l.menu_item_id) WHERE c.store_id IS NULL OR (l.menu_item_id IS NOT NULL AND i.store_id IS NULL)"
            ).fetchall()
    assert 0 == orphans
