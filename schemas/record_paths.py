"""Where a document holds its records, when that is not its source's list at the root.

A record path goes from the document's root to the list of records: names joined by dots, `[]`
behind each list, `[]` alone or first where the root itself is one.
"""

import re
from dataclasses import dataclass
from typing import Self

#: The step of a path into each element of a list.
EACH = "[]"
_NAME = r"[^.\[\]]+"
_PATH = re.compile(rf"(?:\[\]|(?:\[\]\.)?(?:{_NAME}(?:\[\])?\.)*{_NAME}\[\])")
_STEP = re.compile(rf"\[\]|{_NAME}")


@dataclass(frozen=True, slots=True)
class RecordPath:
    """The steps from a document's root to its records: names, and `EACH` for each list."""

    steps: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a path as the alias file writes it.

        Raises:
            ValueError: it is none; the message says what one looks like.
        """
        if not _PATH.fullmatch(text):
            raise ValueError(
                f"{text!r} is no record path; write the names from the root to the list of "
                "records, with [] behind each list: 'payload.data[]', "
                "'revenueCenters[].invoices[]', or '[]' for a list at the root"
            )
        return cls(tuple(_STEP.findall(text)))

    def __str__(self) -> str:
        return ".".join(self.steps).replace(f".{EACH}", EACH)
