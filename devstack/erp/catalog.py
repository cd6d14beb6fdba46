"""What the chain sells and how it is paid for: fixed tables, the same in every store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A menu item: its number, price in cents and the taxes included in the price."""

    number: int
    cents: int
    taxes: str
    by_weight: bool = False


# Percent included in the price, by tax number. An item under "1,5" carries both.
TAX_RATES: dict[int, int] = {28: 21, 1: 12, 5: 5}
TAX_TYPE = 3

ITEMS: tuple[Item, ...] = (
    Item(6042, 11990, "28"),
    Item(6043, 8950, "28"),
    Item(6044, 7490, "28"),
    Item(6101, 4590, "28"),
    Item(6102, 5275, "28"),
    Item(6103, 3900, "28"),
    Item(6150, 6800, "28"),
    Item(6151, 13700, "28"),
    Item(6201, 890, "1,5"),
    Item(6202, 1250, "1,5"),
    Item(6203, 1600, "1,5"),
    Item(6204, 2990, "1,5"),
    Item(6205, 18900, "1,5"),
    Item(6301, 2450, "28"),
    Item(6302, 1999, "28"),
    Item(6303, 2200, "28"),
    Item(6401, 7990, "28", by_weight=True),
    Item(6402, 9490, "28", by_weight=True),
    Item(6501, 1500, ""),
    Item(10_000_421, 33333, "28"),
)
MODIFIERS: tuple[Item, ...] = (
    Item(7001, 0, "28"),
    Item(7002, 0, "28"),
    Item(7003, 0, "28"),
    Item(7010, 350, "28"),
    Item(7011, 600, "28"),
    Item(7012, -200, "28"),
)

# Payment: cash, debit, credit, meal voucher, instant transfer (PIX).
CASH = 1
TENDERS: tuple[int, ...] = (CASH, 11, 12, 21, 31)
DISCOUNTS: tuple[int, ...] = (101, 102, 110)
DINE_IN, DELIVERY = 1, 2
SERVICE_CHARGE = 601
SERVICE_PERCENT = 10
VOID_REASONS: tuple[int, ...] = (1, 3, 7)

TABLE_NAMES: tuple[str, ...] = ("Varanda", "Balcão", "Salão 2", "Terraço", "Área externa")
CHECK_NAMES: tuple[str, ...] = (
    'Aniversário do "Zé"',
    "Mesa D'Ávila",
    "Conceição & família",
    "iFood 8841; retirar 20h30",
    "Sr. João / 3º andar",
    'barra \\ aspas " e emoji \N{FORK AND KNIFE WITH PLATE}',
)
EMPLOYEES = 12
WORKSTATIONS = 4
