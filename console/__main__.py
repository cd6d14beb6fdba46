"""`python -m console`, and the console script."""

from console.cli import cli
from runtime.program import run_program


def main() -> None:
    """Run the command line."""
    run_program(cli)


if __name__ == "__main__":
    main()
