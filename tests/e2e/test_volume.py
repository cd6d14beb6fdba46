"""The largest day that the ERP can have, from its API into the tables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.programs import query, succeed

DAY, STORE = "2024-01-02", "99 CB CB"
LINE = {
    "guestCheckLineItemId": 1,
    "busDt": DAY,
    "detailUTC": f"{DAY}T19:00:00",
    "dspTtl": 1.25,
    "refInfo1": "a remark of the waiter's",
    "menuItem": {"miNum": 1, "inclTax": 5.251234, "activeTaxes": "28"},
    # What we know nothing about fills the day as well, and is little work.
    "kitchen": {"remark": "without onions, please; " * 100},
}
CHECK = {
    "guestCheckId": 7_777_777,
    "lastUpdatedUTC": f"{DAY}T20:00:00",
    "opnBusDt": DAY,
    "subTtl": 10.25,
    "taxes": [{"taxNum": 28, "taxCollTtl": 1.5}],
    "detailLines": [LINE],
}


def answer(checks_count: int) -> bytes:
    """Write the answer of a full store, as a busy ERP would."""
    template = json.dumps(CHECK)
    number = str(CHECK["guestCheckId"])
    checks = ", ".join(template.replace(number, str(each)) for each in range(checks_count))
    return (
        f'{{"curUTC": "{DAY}T23:59:00", "locRef": "{STORE}", "guestChecks": [{checks}]}}'.encode()
    )


@contextmanager
def busy_erp(body: bytes) -> Iterator[dict[str, str]]:
    """Run an ERP that answers nothing else; give what leads to it."""

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing on the tests' terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield {"API_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}"}
        server.shutdown()
        thread.join()


def pull(environment: dict[str, str], body: bytes) -> None:
    """Pull the day's checks, which come in one answer."""
    command = ("pull", "--from", DAY, "--store", STORE, "--endpoint", "getGuestChecks", "--json")
    with busy_erp(body) as leading:
        told = json.loads(succeed("producer", *command, environment={**environment, **leading}))
    assert (1, 0, len(body)) == (told["stored"], told["failed"], told["stored_bytes"])


def test_a_day_of_fifty_thousand_checks_comes_in_one_answer(environment: dict[str, str]) -> None:
    """About the size that such a day has: within the default limits and times."""
    body = answer(50_000)
    assert len(body) > 130_000_000
    pull(environment, body)


def test_a_large_day_is_loaded_as_a_stream(environment: dict[str, str]) -> None:
    """Above STREAM_ABOVE_BYTES, pulled and loaded by the programs with their defaults."""
    succeed("consumer", "migrate", environment=environment)
    body = answer(6_100)
    assert len(body) > 16 * 2**20
    pull(environment, body)
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    ends = "SELECT state, quarantined FROM ingested_objects"
    assert query(environment, ends) == [("loaded", 0)]
    opened = f"SELECT count(*) FROM guest_checks WHERE opn_bus_dt = '{DAY}'"
    assert query(environment, opened) == [(6_100,)]
