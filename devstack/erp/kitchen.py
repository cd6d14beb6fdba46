"""Draws one guest check: what was ordered, what went wrong, how it was paid."""

from devstack.erp import catalog
from devstack.erp.amounts import rounded, scaled
from devstack.erp.dice import Dice
from devstack.erp.store_day import DAY_ENDS_SECONDS, HOUR, StoreDay
from devstack.erp.ticket import Json, Line, Party, Ticket, Times

_MINUTE = 60


def draw_ticket(store_day: StoreDay, index: int, share_of_day: float, *, late: bool) -> Ticket:
    """Draw check number `index` of a day, closed and paid, before any correction.

    Args:
        store_day: The store and the business day on which the check opens.
        index: The check's position in the day.
        share_of_day: How much of the day's trade came before it, from 0 to 1.
        late: Whether it is still open when the business day ends and closes on the next.
    """
    dice = Dice(store_day.key("check") + index)
    ticket = Ticket(store_day, index, _times(dice, share_of_day, late=late), _party(dice))
    if dice.chance(2.5):
        ticket.leaves["cancelFlag"] = True  # nothing ordered: no lines, no taxes
        return ticket
    _order(ticket, dice)
    _adjust(ticket, dice)
    pay(ticket, dice)
    _label(ticket, dice)
    return ticket


def pay(ticket: Ticket, dice: Dice) -> None:
    """Settle what is due, in one or two payments, at the check's closing time."""
    due, at = ticket.due, ticket.times.closed
    first = rounded(due, 2) if dice.chance(15) else due
    for cents in (first, due - first) if first != due else (due,):
        tender = dice.pick(catalog.TENDERS)
        line = ticket.add(Line({"tenderMedia": {"tmedNum": tender}}, cents, at))
        if tender != catalog.CASH:
            line.leaves["refInfo1"] = f"NSU {dice.between(100_000, 999_999)}"
            line.leaves["refInfo2"] = f"**** {dice.below(10_000):04}"
        line.leaves["transEmpId"] = 10_454_300 + ticket.party.employee
        line.leaves["transEmpNum"] = 81_000 + ticket.party.employee


def menu_line(item: catalog.Item, cents: int, at: int, *, modifier: bool | None = False) -> Line:
    """Build the line of a menu item sold for `cents`; `modifier` None leaves the flag out."""
    menu_item: Json = {"miNum": item.number}
    if modifier is not None:
        menu_item["modFlag"] = modifier
    if item.taxes:
        menu_item["inclTax"] = scaled(_included_tax_millionths(cents, item.taxes), 6)
        menu_item["activeTaxes"] = item.taxes
    menu_item["prcLvl"] = 3
    return Line({"menuItem": menu_item}, cents, at)


def _included_tax_millionths(cents: int, taxes: str) -> int:
    rate = sum(catalog.TAX_RATES[int(number)] for number in taxes.split(","))
    return rounded(cents * 10_000 * rate, 100 + rate)


def _times(dice: Dice, share: float, *, late: bool) -> Times:
    if late:
        opened = DAY_ENDS_SECONDS - dice.between(20 * _MINUTE, 2 * HOUR)
        closed = DAY_ENDS_SECONDS + dice.between(5 * _MINUTE, 90 * _MINUTE)
    else:
        lunch = share < 0.45
        start, hours = (11.5, 3.5) if lunch else (18.5, 6.0)
        through = share / 0.45 if lunch else (share - 0.45) / 0.55
        opened = int((start + hours * through) * HOUR) + dice.below(9 * _MINUTE)
        closed = opened + dice.between(25 * _MINUTE, 150 * _MINUTE)
    return Times(opened, closed, closed + dice.between(_MINUTE, 60 * _MINUTE))


def _party(dice: Dice) -> Party:
    table = dice.between(1, 95)
    named = dice.chance(20)
    return Party(
        guests=dice.between(1, 6),
        table=table,
        table_name=dice.pick(catalog.TABLE_NAMES) if named else str(table),
        employee=dice.below(catalog.EMPLOYEES),
        revenue_center=dice.pick((101, 101, 101, 123)),
        order_type=dice.pick((catalog.DINE_IN, catalog.DINE_IN, catalog.DINE_IN, catalog.DELIVERY)),
    )


def _order(ticket: Ticket, dice: Dice) -> None:
    times = ticket.times
    rounds = (times.closed - times.opened) // 5
    modifiers = 0
    for number in range(dice.between(2, 4)):
        at = times.opened + rounds * number + dice.below(rounds)
        dish = ticket.add(_dish(dice, at))
        dish.leaves["svcRndNum"] = number + 1
        if modifiers < 2 and dice.chance(30):
            modifiers += 1
            extra = dice.pick(catalog.MODIFIERS)
            line = ticket.add(menu_line(extra, extra.cents, at, modifier=True))
            line.leaves = {"parDtlId": dish.number, "svcRndNum": number + 1}
            if not extra.cents:
                line.leaves["doNotShowFlag"] = True


def _dish(dice: Dice, at: int) -> Line:
    item = dice.pick(catalog.ITEMS)
    flag = None if dice.chance(20) else False
    if item.by_weight:
        grams = dice.between(180, 950)
        line = menu_line(item, rounded(item.cents * grams, 1000), at, modifier=flag)
        line.quantity = grams
        return line
    count = 2 if dice.chance(12) else 1
    line = menu_line(item, item.cents * count, at, modifier=flag)
    line.quantity = count * 1000
    return line


def _adjust(ticket: Ticket, dice: Dice) -> None:
    at = ticket.times.closed - _MINUTE
    incident = dice.below(100)
    if incident < 5:
        void_line(ticket, ticket.lines[0], at, dice)
    elif incident < 11:
        _correct_error(ticket, at)
    elif incident < 13:
        _take_back(ticket, at, dice)
    if dice.chance(15):
        _discount(ticket, at, dice)
    if dice.chance(60):
        cents = rounded(ticket.subtotal * catalog.SERVICE_PERCENT, 100)
        charge = {"svcChgNum": catalog.SERVICE_CHARGE, "inclTax": 0}
        ticket.add(Line({"serviceCharge": charge}, cents, at))
    if dice.chance(25):
        _note_tax_number(ticket, at, dice)


def void_line(ticket: Ticket, sold: Line, at: int, dice: Dice) -> None:
    """Void a sold line: the ERP adds its mirror image and keeps the original."""
    menu_item = dict(sold.body["menuItem"])
    if "inclTax" in menu_item:
        menu_item["inclTax"] = -menu_item["inclTax"]
    leaves: Json = {"vdFlag": True, "rsnCodeNum": dice.pick(catalog.VOID_REASONS)}
    ticket.add(Line({"menuItem": menu_item}, -(sold.cents or 0), at, -sold.quantity, leaves))


def _correct_error(ticket: Ticket, at: int) -> None:
    sold = ticket.lines[-1]
    sold.leaves["errCorFlag"] = True
    body = {"errorCorrect": {"type": 1, "objectNum": sold.body["menuItem"]["miNum"]}}
    ticket.add(Line(body, -(sold.cents or 0), at, -sold.quantity, {"errCorFlag": True}))


def _take_back(ticket: Ticket, at: int, dice: Dice) -> None:
    item = dice.pick(catalog.ITEMS[:8])
    line = ticket.add(menu_line(item, -item.cents, at))
    line.quantity = -1000
    line.leaves = {"returnFlag": True, "rsnCodeNum": 7}


def _discount(ticket: Ticket, at: int, dice: Dice) -> None:
    cents = -dice.pick((1000, rounded(max(ticket.subtotal, 0), 10), 550))
    if dice.chance(20):
        # As in real answers: the header knows the discount, no line shows it.
        ticket.unlisted_discount = cents
        return
    first = ticket.lines[0].body["menuItem"]
    discount: Json = {"dscNum": dice.pick(catalog.DISCOUNTS), "dscMiNum": first["miNum"]}
    if "activeTaxes" in first:
        included = _included_tax_millionths(cents, first["activeTaxes"])
        discount |= {"inclTax": scaled(included, 6), "activeTaxes": first["activeTaxes"]}
    ticket.add(Line({"discount": discount}, cents, at))


def _note_tax_number(ticket: Ticket, at: int, dice: Dice) -> None:
    body = {"other": {"detailType": 7, "detailNum": dice.between(1, 3)}}
    leaves: Json = {"refInfo1": f"CPF 000.{dice.below(1000):03}.{dice.below(1000):03}-00"}
    ticket.add(Line(body, None, at, 0, leaves))


def _label(ticket: Ticket, dice: Dice) -> None:
    leaves = ticket.leaves
    if dice.chance(8):
        leaves["chkName"] = dice.pick(catalog.CHECK_NAMES)
    if ticket.party.order_type != catalog.DINE_IN:
        leaves["chkRef"] = f"DLV-{dice.between(10_000, 99_999)}"
    if dice.chance(18):
        leaves["tipTotal"] = scaled(dice.between(2, 60) * 50, 2)
    if dice.chance(3):
        leaves["spltFrmChk"] = dice.between(1001, 1040)
    elif dice.chance(2):
        leaves["xferStatus"] = "TO_CHECK"
        leaves["xferToChkNum"] = dice.between(1001, 1040)
    if dice.chance(2):
        leaves["cancelFlag"] = True
    elif dice.chance(10):
        leaves["cancelFlag"] = False
