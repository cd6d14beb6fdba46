"""Writes the store-day lists: invoices, charge-backs, transactions, cash boxes.

Their rows follow from the same tickets as the checks, so amounts agree across endpoints and a
corrected check shows in every list. Row ids start at 1 every day; some rows have none.
"""

from collections.abc import Callable, Iterator
from itertools import count

from devstack.erp import catalog
from devstack.erp.amounts import money
from devstack.erp.checks import collected_taxes
from devstack.erp.dice import Dice, key_of
from devstack.erp.opening import Trade, answered_tickets, is_closed
from devstack.erp.store_day import HOUR, StoreDay
from devstack.erp.ticket import Json, Line, Ticket
from schemas.registry import Source

ListOf = Callable[[StoreDay, Trade], Iterator[Json]]

_CASH_FLOAT_CENTS = 20_000
_REASONS = ("fraude", "serviço não reconhecido", "valor divergente", 'duplicado ("2x")')


def fiscal_invoices(store_day: StoreDay, trade: Trade) -> Iterator[Json]:
    """Yield one NFC-e invoice per check that closed on the day and was not cancelled."""
    for number, ticket in enumerate(answered_tickets(store_day, trade), start=1):
        if not _is_billed(ticket, store_day):
            continue
        day, closed = ticket.store_day, ticket.times.closed
        serial = (store_day.day.toordinal() - 730_000) * 1000 + number
        invoice: Json = {
            "invoiceId": number,
            "amount": money(ticket.due),
            "tax": money(sum(tax.collected for tax in collected_taxes(ticket))),
            "invoiceNumber": serial,
            "series": "1",
            "accessKey": access_key(store_day, serial),
            "guestCheckId": ticket.check_id,
            "transUTC": day.utc(closed),
            "transLcl": day.lcl(closed),
            "wsNum": 1 + ticket.party.table % catalog.WORKSTATIONS,
        }
        if ticket.check_id % 31 == 0:
            del invoice["invoiceId"]  # issued in contingency: the ERP has no id yet
            invoice["contingency"] = True
        yield invoice


def charge_backs(store_day: StoreDay, trade: Trade) -> Iterator[Json]:
    """Yield up to three disputed card payments, with either sign, and one more per revision."""
    if is_closed(store_day, trade):
        return
    dice = store_day.dice("charge backs")
    for number in range(1, dice.below(4) + 1 + trade.revision):
        cents = -dice.between(1_990, 45_000) if dice.chance(70) else dice.between(1_990, 45_000)
        row: Json = {
            "chargeId": number,
            "amount": money(cents),
            "reason": dice.pick(_REASONS),
            "guestCheckId": store_day.previous.check_id(dice.below(20)),
            "tmedNum": dice.pick((11, 12)),
            "transUTC": store_day.utc(10 * HOUR + dice.below(8 * HOUR)),
        }
        if dice.chance(10):
            del row["chargeId"]
        yield row


def transactions(store_day: StoreDay, trade: Trade) -> Iterator[Json]:
    """Yield every payment taken on the day, then what was paid out of the drawers."""
    numbers = count(1)
    for ticket, line in _payments(store_day, trade):
        day = ticket.store_day
        yield {
            "transactionId": next(numbers),
            "type": "REFUND" if (line.cents or 0) < 0 else "SALE",
            "amount": money(line.cents or 0),
            "guestCheckId": ticket.check_id,
            "transUTC": day.utc(line.at),
            "transLcl": day.lcl(line.at),
            "tmedNum": line.body["tenderMedia"]["tmedNum"],
            "wsNum": 1 + ticket.party.table % catalog.WORKSTATIONS,
            "empNum": 55_500 + ticket.party.employee,
        }
    if not is_closed(store_day, trade):
        yield from _paid_out(store_day.dice("paid out"))


def cash_management(store_day: StoreDay, trade: Trade) -> Iterator[Json]:
    """Yield the day's cash boxes, one per workstation, and the petty cash, which has no id."""
    if is_closed(store_day, trade):
        return
    takings = dict.fromkeys(range(1, catalog.WORKSTATIONS + 1), 0)
    for ticket, line in _payments(store_day, trade):
        if line.body["tenderMedia"]["tmedNum"] == catalog.CASH:
            takings[1 + ticket.party.table % catalog.WORKSTATIONS] += line.cents or 0
    dice = store_day.dice("cash")
    for box, cents in takings.items():
        difference = dice.between(-500, 500) if dice.chance(25) else 0
        yield {
            "cashBoxId": box,
            "openingBalance": money(_CASH_FLOAT_CENTS),
            "closingBalance": money(_CASH_FLOAT_CENTS + cents + difference),
            "overShortAmt": money(difference),
            "wsNum": box,
            "empNum": 55_500 + dice.below(catalog.EMPLOYEES),
            "openUTC": store_day.utc(10 * HOUR),
            "closeUTC": store_day.utc(27 * HOUR + box * 60),
        }
    balance = dice.between(5_000, 60_000)
    yield {
        "openingBalance": money(balance),
        "closingBalance": money(balance - dice.below(8_000)),
        "description": "fundo fixo",
    }


def access_key(store_day: StoreDay, serial: int) -> str:
    """Build the 44-digit NFC-e access key of an invoice, its check digit included.

    State (35, São Paulo), year and month, CNPJ, model 65, series, number, issue type, random
    code, and a modulo-11 digit over the 43 before it.
    """
    company = key_of(store_day.seed, store_day.store, "cnpj") % 10**12
    digits = (
        f"35{store_day.day:%y%m}{company:012}{company % 97:02}65001"
        f"{serial % 10**9:09}1{serial * 7_919 % 10**8:08}"
    )
    weighted = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(reversed(digits)))
    rest = weighted % 11
    return digits + str(0 if rest < 2 else 11 - rest)


def _is_billed(ticket: Ticket, store_day: StoreDay) -> bool:
    if ticket.is_open or ticket.is_cancelled:
        return False
    return ticket.store_day.bus_dt(ticket.times.closed) == store_day.day.isoformat()


def _payments(store_day: StoreDay, trade: Trade) -> Iterator[tuple[Ticket, Line]]:
    today = store_day.day.isoformat()
    for ticket in answered_tickets(store_day, trade):
        for line in ticket.lines:
            if line.kind == "tenderMedia" and ticket.store_day.bus_dt(line.at) == today:
                yield ticket, line


def _paid_out(dice: Dice) -> Iterator[Json]:
    """Yield petty payments without an id; two of them are exactly alike on some days."""
    if dice.chance(60):
        row: Json = {"type": "PAID_OUT", "amount": money(-dice.between(5, 80) * 100)}
        row["description"] = dice.pick(("gelo", "entregador", "táxi funcionário"))
        yield row
        if dice.chance(40):
            yield dict(row)


LISTS: dict[Source, ListOf] = {
    Source.FISCAL_INVOICE: fiscal_invoices,
    Source.CHARGE_BACK: charge_backs,
    Source.TRANSACTIONS: transactions,
    Source.CASH_MANAGEMENT: cash_management,
}
