"""The contract of a document's root: what stands beside its list."""

from schemas.fields import BusinessDate, Record, StoreId, UtcTime


class RootFields(Record):
    """The fields beside a document's list."""

    storeId: StoreId | None = None
    busDt: BusinessDate | None = None
    curUTC: UtcTime | None = None
