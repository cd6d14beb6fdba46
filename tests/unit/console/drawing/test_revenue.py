"""Revenue: what is usual on a weekday, and how it is drawn."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from console.drawing.revenue import CHART_HEIGHT, LINE_WIDTH, revenue

DAY = date(2024, 3, 4)


def sold(store: str, weeks_ago: int, net: object, checks: int = 10) -> dict[str, Any]:
    amount = None if net is None else Decimal(str(net))
    day = DAY - timedelta(weeks=weeks_ago)
    return {"store_id": store, "bus_dt": day, "net": amount, "checks": checks}


def broken(store: str, weeks_ago: int) -> dict[str, Any]:
    day = DAY - timedelta(weeks=weeks_ago)
    return {"store_id": store, "bus_dt": day, "reason": "records were refused"}


def test_usual_is_the_mean_of_the_whole_days_of_the_weekday() -> None:
    rows = [sold("001", 0, 120), sold("001", 1, 100), sold("001", 2, 5), sold("001", 3, 50)]
    [line] = revenue(DAY, rows, [broken("001", 2)]).lines
    assert (line.usual, line.weeks, line.change) == (Decimal(75), 2, Decimal(60))


def test_a_store_without_sales_is_shown_if_its_day_is_not_whole() -> None:
    board = revenue(DAY, [], [broken("001", 0), broken("002", 1)])
    [line] = board.lines
    assert (line.store, line.net, line.change) == ("001", None, None)
    assert line.reason == "records were refused"
    assert board.bars[-1].incomplete == 1


def test_lengths_are_shares_of_the_largest_and_never_negative() -> None:
    """Refunds alone can make a day negative, and checks that tell no amount have none."""
    rows = [sold("001", 0, 100), sold("002", 0, 50), sold("003", 0, -20), sold("004", 0, None)]
    board = revenue(DAY, rows, [])
    assert [line.width for line in board.lines] == [LINE_WIDTH, LINE_WIDTH // 2, 0, 0]
    assert board.bars[-1].height == CHART_HEIGHT
    assert board.net == 130


def test_nothing_is_drawn_of_nothing() -> None:
    board = revenue(DAY, [], [])
    assert (board.lines, board.top, board.bars[0].height) == ([], 0, 0)
