"""The published shape of the endpoints' answers: the contracts, each in its frame.

Documents the answers; builds and checks nothing.
"""

from datetime import date
from typing import Any

from pydantic import BaseModel, create_model

from schemas.fields import Text, UtcTime
from schemas.registry import ENDPOINTS, Source


class ChecksAnswer(BaseModel):
    """The checks opened or closed on a business day."""

    curUTC: UtcTime  # noqa: N815 - as the ERP spells it
    locRef: Text  # noqa: N815 - as above


class StoreDayAnswer(BaseModel):
    """A store's day. A list may be empty, null or absent: no rows."""

    storeId: Text  # noqa: N815 - as above
    busDt: date  # noqa: N815 - as above


def _answer(source: Source) -> type[BaseModel]:
    frame: Any = ChecksAnswer if source.holds_checks else StoreDayAnswer
    records: Any = list[source.entry.model]  # type: ignore[name-defined]  # a type made here
    fields: Any = {source.entry.list_field: (records | None, None)}
    name = f"{source.entry.model.__name__}sAnswer"
    return create_model(name, __base__=frame, __doc__=frame.__doc__, **fields)


ANSWER_MODELS: dict[Source, type[BaseModel]] = {
    endpoint.source: _answer(endpoint.source) for endpoint in ENDPOINTS
}
