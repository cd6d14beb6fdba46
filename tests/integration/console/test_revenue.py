"""Revenue: the same numbers as analysts get, and a mark on those that are not whole."""

from datetime import timedelta

from tests.support.console_days import DAY, HOUR, Days, midnight
from tests.support.console_pages import Pages


def sell(
    days: Days, store: str, number: int, *, net: object = 10, back: int = 0, **more: object
) -> None:
    columns: dict[str, object] = {
        "store_id": store, "guest_check_id": number, "opn_bus_dt": DAY - timedelta(days=back),
        "sub_ttl": net, "as_of": midnight(DAY), "object_id": 1, "patched": False, **more,
    }  # fmt: skip
    places = ", ".join(["%s"] * len(columns))
    days.execute(
        f"INSERT INTO guest_checks ({', '.join(columns)}) VALUES ({places})", *columns.values()
    )


async def test_a_day_has_the_numbers_that_analysts_get(days: Days, pages: Pages) -> None:
    days.day("001")
    sell(days, "001", 1, net="100.50")
    sell(days, "001", 2, net="0.25")
    sell(days, "001", 3, net=1000, cancel_flag=True)
    sell(days, "001", 4, net=1000, removed_at=midnight(DAY))
    sell(days, "001", 5, net=None)
    sell(days, "001", 6, net=50, back=7)
    [(checks, net)] = days.execute(
        "SELECT checks, net FROM v_daily_revenue WHERE store_id = '001' AND bus_dt = %s", DAY
    )
    shown = await pages.get("/revenue")
    assert f"Monday, {DAY}" in shown.html
    assert f'<td class="n">{checks}</td>' in shown.html
    assert f'<td class="n">{net}</td>' in shown.html
    assert '<td class="n">+102 %</td>' in shown.html


async def test_a_day_that_is_not_whole_is_hatched_and_says_why(days: Days, pages: Pages) -> None:
    days.expect("none")
    days.day("early", asked=midnight(DAY) + 20 * HOUR)
    days.day("refused", state="dead_lettered", quarantined=1)
    days.object("gone", DAY, state="dead_lettered")
    days.day("whole")
    for number, store in enumerate(("early", "refused", "whole")):
        sell(days, store, number)
    shown = await pages.get(f"/revenue?day={DAY}")
    assert "asked for before the day was over" in shown.html
    assert shown.html.count("records were refused") == 2
    assert "not loaded</span>" in shown.html
    assert "4 incomplete" in shown.html
    assert 'height="12" fill="url(#hatch)"' in shown.html


async def test_one_store_day_is_reconciled_on_demand(days: Days, pages: Pages) -> None:
    days.day("001")
    sell(days, "001", 1, net=100, pay_ttl=100)
    days.execute(
        "INSERT INTO menu_items (store_id, menu_item_id, first_seen, last_seen) VALUES ('001', 7, %s, %s)",
        DAY,
        DAY,
    )
    days.execute(
        "INSERT INTO detail_lines (store_id, guest_check_id, guest_check_line_item_id, line_type,"
        " menu_item_id, dsp_ttl, dsp_qty) VALUES ('001', 1, 1, 'menu_item', 7, 90, 1)"
    )
    assert "Headers against lines" not in (await pages.get(f"/revenue?day={DAY}")).html
    shown = await pages.get(f"/revenue?day={DAY}&store=001")
    assert "<b>10.00</b>" in shown.html
    assert "Every check of the day" in (await pages.get(f"/revenue?day={DAY}&store=002")).html
    plan = days.explain("reconciliation", store="001", day=DAY, most=9)
    # Which index of the two is better, the planner says by how full the table is.
    assert "Seq Scan" not in plan


async def test_no_check_and_no_day(days: Days, pages: Pages) -> None:
    assert "Nothing is loaded yet" in (await pages.get("/revenue")).html
    days.day("001")
    assert "No check opened on this day" in (await pages.get("/revenue")).html


async def test_hundreds_of_stores_come_in_parts(days: Days, pages: Pages) -> None:
    """The helper refuses a page that is too large."""
    days.day("001")
    days.execute(
        "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, sub_ttl, as_of, object_id,"
        " patched) SELECT 'Restaurante São ' || n, d, %s::date - d, 10 + n, now(), 1, false"
        " FROM generate_series(1, 230) AS n, generate_series(0, 28) AS d",
        DAY,
    )
    assert "part 1 of 3, 230 stores" in (await pages.get(f"/revenue?day={DAY}")).html
    assert "part 3 of 3" in (await pages.get(f"/revenue?day={DAY}&part=9")).html
