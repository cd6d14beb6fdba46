"""`python -m tests.support.browser`: have a browser ready before the tests begin; exits 1 without."""

import sys
import time

from tests.support.browser.finding import NoBrowser, find_browser


def main() -> int:
    """Find one, telling of what takes time."""
    began = time.monotonic()

    def tell(text: str) -> None:
        sys.stderr.write(f"browser: {text} ({time.monotonic() - began:.0f} s)\n")
        sys.stderr.flush()

    try:
        find_browser(tell)
    except NoBrowser as error:
        tell(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
