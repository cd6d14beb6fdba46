"""Revenue as bars: a day of all stores, and of each store against what is usual on its weekday."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean

from console.data.database import Row

DAYS = 29  # a day and the four weeks before it
_WEEKS = 4
CHART_HEIGHT, BAR_STEP, BAR_WIDTH = 120, 28, 20
LINE_WIDTH, LINE_HEIGHT, LINE_STEP = 240, 20, 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of all stores; `incomplete` of them are not whole."""

    day: date
    net: Decimal
    incomplete: int
    x: int
    height: int

    @property
    def y(self) -> int:
        """Return where it begins, from above."""
        return CHART_HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Line:
    """A store on the day; `usual` is the mean of the weeks before, of whole days with checks."""

    store: str
    checks: int
    net: Decimal | None
    usual: Decimal | None
    weeks: int
    reason: str | None  # why the day is not whole
    width: int
    usual_x: int
    past: str  # path of the days until the day, oldest first

    @property
    def change(self) -> Decimal | None:
        """Return how much the day differs from what is usual, in percent."""
        if self.net is None or not self.usual:
            return None
        return 100 * (self.net / self.usual - 1)


@dataclass(frozen=True, slots=True)
class Revenue:
    """All stores on a day."""

    bars: list[Bar]
    lines: list[Line]
    net: Decimal
    usual: Decimal
    top: Decimal


def revenue(day: date, rows: Iterable[Row], incomplete: Iterable[Row]) -> Revenue:
    """Arrange the rows of the queries `revenue` and `incomplete_days` of DAYS days until `day`."""
    days = [day - timedelta(days=back) for back in reversed(range(DAYS))]
    by_store: defaultdict[str, dict[date, Row]] = defaultdict(dict)
    for row in rows:
        by_store[row["store_id"]][row["bus_dt"]] = row
    reasons = {(row["store_id"], row["bus_dt"]): row["reason"] for row in incomplete}
    stores = sorted({*by_store, *(store for store, that in reasons if that == day)})
    most = max(
        (_net(found) or 0 for line in by_store.values() for found in line.values()), default=0
    )
    lines = [
        _line(store, days, by_store.get(store, {}), reasons, Decimal(most)) for store in stores
    ]
    bars, top = _bars(days, by_store.values(), reasons)
    return Revenue(
        bars,
        lines,
        sum((line.net or Decimal() for line in lines), Decimal()),
        sum((line.usual or Decimal() for line in lines), Decimal()),
        top,
    )


def _net(row: Row | None) -> Decimal | None:
    return row["net"] if row else None


def _line(
    store: str,
    days: Sequence[date],
    known: dict[date, Row],
    reasons: dict[tuple[str, date], str],
    most: Decimal,
) -> Line:
    day = days[-1]
    before = [day - timedelta(weeks=week) for week in range(1, _WEEKS + 1)]
    whole = [
        net for past in before if (store, past) not in reasons and (net := _net(known.get(past)))
    ]
    usual = round(Decimal(mean(whole)), 2) if whole else None
    today = known.get(day)
    net = _net(today)
    return Line(
        store=store,
        checks=today["checks"] if today else 0,
        net=net,
        usual=usual,
        weeks=len(whole),
        reason=reasons.get((store, day)),
        width=_scaled(net, most, LINE_WIDTH),
        usual_x=_scaled(usual, most, LINE_WIDTH),
        past=_path([_net(known.get(past)) for past in days]),
    )


def _bars(
    days: Sequence[date],
    stores: Iterable[dict[date, Row]],
    reasons: dict[tuple[str, date], str],
) -> tuple[list[Bar], Decimal]:
    sums: defaultdict[date, Decimal] = defaultdict(Decimal)
    for known in stores:
        for day, row in known.items():
            sums[day] += _net(row) or 0
    missing: defaultdict[date, int] = defaultdict(int)
    for _, day in reasons:
        missing[day] += 1
    top = max(sums.values(), default=Decimal())
    bars = [
        Bar(day, sums[day], missing[day], place * BAR_STEP, _scaled(sums[day], top, CHART_HEIGHT))
        for place, day in enumerate(days)
    ]
    return bars, top


def _scaled(value: Decimal | None, most: Decimal, size: int) -> int:
    """Return a length; refunds alone can make a day negative, which has none."""
    return max(0, round(size * value / most)) if value and most > 0 else 0


def _path(values: Sequence[Decimal | None]) -> str:
    """Return bars as one path, which is a tenth of as many rectangles."""
    most = max((value for value in values if value), default=Decimal())
    return "".join(
        f"M{place * LINE_STEP} {LINE_HEIGHT}v-{height}h{LINE_STEP - 1}v{height}z"
        for place, value in enumerate(values)
        if (height := _scaled(value, most, LINE_HEIGHT))
    )
