"""Arguments are read as people write them."""

import pytest

from runtime.durations import seconds_of
from runtime.errors import SettingsInvalid


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("1d", 86_400), (" 0.5S ", 0.5)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "0s", "5 m", "1w", "\u0665s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="write it as 90s"):
        seconds_of(text)
