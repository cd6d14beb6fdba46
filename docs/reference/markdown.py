"""How the generated pages are written."""

from collections.abc import Iterable, Sequence

_BAR = "\\|"
_GENERATED = "Generated from the code by `make reference`."


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page that says where it comes from."""
    return "\n\n".join([f"# {title}", _GENERATED, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars inside its cells stay text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', _BAR) for cell in row)} |" for row in lines)


def sentence(text: str) -> str:
    """Return a text as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
