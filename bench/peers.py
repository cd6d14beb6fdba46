"""The loader against its limit and its peers: the same documents, in turns, on one server."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import copying, dlt_peer, row_by_row
from bench.databases import Server, row_counts
from bench.documents import Document
from bench.loading import load_seconds
from bench.timing import Seconds, in_turns


@dataclass(slots=True)
class Limit:
    """The loader against raw COPY of the very same rows."""

    loader: Seconds
    copy: Seconds
    rows: dict[str, int]

    @property
    def row_count(self) -> int:
        """Rows of all tables."""
        return sum(self.rows.values())


@dataclass(slots=True)
class Peers:
    """The loader against other ways to bring the same documents into tables."""

    loader: Seconds
    dlt: Seconds
    dlt_flat: Seconds
    row_by_row: Seconds


@dataclass(slots=True)
class Contest:
    """Runs each way into a fresh database and returns its seconds; COPY takes the loader's rows."""

    server: Server
    documents: Sequence[Document]
    rows: copying.RowWriter = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def loader(self) -> float:
        """Load with the consumer's own loader."""
        with self.server.fresh("bench_loader") as database:
            seconds = load_seconds(database, [document.fetched() for document in self.documents])
            if not self.rows:
                self.rows, self.counts = copying.rows_of(database), row_counts(database)
            return seconds

    def copy(self) -> float:
        """COPY the rows that the loader made."""
        with self.server.fresh("bench_copy") as database:
            seconds = copying.copy_seconds(database, self.rows)
            assert row_counts(database) == self.counts
            return seconds

    def dlt(self) -> float:
        """Load with dlt as it comes."""
        with self.server.fresh("bench_dlt") as database:
            return dlt_peer.load_seconds(database, self.documents, "nested")

    def dlt_flat(self) -> float:
        """Load with dlt, tuned."""
        with self.server.fresh("bench_dlt") as database:
            return dlt_peer.load_seconds(database, self.documents, "flat")

    def row_by_row(self) -> float:
        """Load by one statement a row."""
        with self.server.fresh("bench_row_by_row") as database:
            seconds = row_by_row.load_seconds(database, self.documents)
            assert row_counts(database) == self.counts
            return seconds


def against_copy(server: Server, documents: Sequence[Document]) -> Limit:
    """Measure the loader and raw COPY."""
    contest = Contest(server, documents)
    loader, copy = in_turns((contest.loader, contest.copy))
    return Limit(loader, copy, contest.counts)


def against_others(server: Server, documents: Sequence[Document]) -> Peers:
    """Measure the loader, dlt and a script that works row by row."""
    contest = Contest(server, documents)
    return Peers(*in_turns((contest.loader, contest.dlt, contest.dlt_flat, contest.row_by_row)))
