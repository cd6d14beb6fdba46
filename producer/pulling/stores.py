"""Reading which stores there are from a file."""

from pathlib import Path

from producer.errors import ConfigurationError


def read_stores(path: Path) -> tuple[str, ...]:
    """Read store ids from a UTF-8 text file, one a line; empty lines do not count. Blocks.

    Ids are free text, so nothing in the file is a comment.

    Raises:
        ConfigurationError: The file cannot be read or holds no store.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            f"--stores-file cannot be read: {exc}; correct its path, or save it as UTF-8"
        ) from exc
    stores = tuple(line.strip() for line in lines if line.strip())
    if not stores:
        raise ConfigurationError(f"--stores-file {path} holds no store; write one id a line")
    return stores
