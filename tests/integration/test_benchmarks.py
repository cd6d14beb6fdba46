"""The benchmarks still run on the loader that exists."""

from bench.databases import Server
from bench.documents import store_days
from bench.peers import Contest
from consumer.settings import DatabaseSettings


def test_the_loader_and_its_peers_leave_the_same_rows(database: dict[str, str]):
    """COPY and the row-by-row script compare their row counts with the loader's themselves."""
    settings = DatabaseSettings(**{name.lower(): value for name, value in database.items()})
    contest = Contest(Server(settings), store_days(1))
    assert min(contest.loader(), contest.copy(), contest.row_by_row()) > 0
    assert contest.counts["guest_checks"] == 500
