"""What an operator does in the console, as requests: looks at documents, replays, purges, examines."""

import re
from urllib.parse import urlencode
from urllib.request import Request, urlopen

_OURS = {"Sec-Fetch-Site": "same-origin"}
_SECONDS = 30


def shown(url: str, **form: str) -> str:
    """Return a page; with a form, what is shown once it was sent."""
    body = urlencode(form).encode() if form else None
    with urlopen(Request(url, body, _OURS), timeout=_SECONDS) as answer:  # noqa: S310 - ours
        return str(answer.read().decode())


def begin(url: str, kind: str, cause: str, canary: int) -> str:
    """Confirm a plan; return the address of its action."""
    plan = shown(f"{url}/plan?kind={kind}&cause={cause}&canary={canary}")
    [sealed] = re.findall(r'name="plan" value="([^"]+)"', plan)
    form = urlencode({"plan": sealed, "count": canary}).encode()
    with urlopen(Request(f"{url}/actions", form, _OURS), timeout=_SECONDS) as answer:  # noqa: S310
        return str(answer.url)


def examined(url: str) -> str:
    """Return what the doctor says."""
    return shown(f"{url}/doctor", button="pressed")
