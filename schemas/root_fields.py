"""The contract of a document's root: what stands beside its list."""

from pydantic import BaseModel, ConfigDict

from schemas.fields import BusinessDate, Text, Timestamp


class RootFields(BaseModel):
    """The fields beside a document's list."""

    model_config = ConfigDict(extra="allow")

    storeId: Text | None = None
    busDt: BusinessDate | None = None
    curUTC: Timestamp | None = None
