"""What older releases left: their databases are upgraded from here."""

from pathlib import Path

# The tables of release 0.1.0, as its only step made them.
FIRST_STEP = Path(__file__).with_name("first_release.sql")
