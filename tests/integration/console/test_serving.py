"""`console serve`: it starts whoever is down, says what is in its way, and ends when told to."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.support.programs import page
from tests.support.serving import console_program, free_port

DOWN = {
    "BUCKET_NAME": "lake",
    "QUEUE_URL": "http://127.0.0.1:1/main",
    "DLQ_URL": "http://127.0.0.1:1/dead",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "DB_HOST": "127.0.0.1",
    "DB_PORT": "1",
}
# A page that never ends, served as the console is.
ENDLESS = """
import asyncio, sys
from types import SimpleNamespace
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from console.web.serving import serve

async def main():
    servers = SimpleNamespace(
        settings=SimpleNamespace(console_host="127.0.0.1", console_port=0), stopping=asyncio.Event()
    )
    app = FastAPI()

    @app.get("/")
    async def endless():
        async def lines():
            while True:
                yield "data: still here\\n\\n"
                await asyncio.sleep(0.1)
        return StreamingResponse(lines(), media_type="text/event-stream")

    await serve(app, servers, lambda url: print(url, flush=True))

asyncio.run(main())
"""
STOP_SECONDS = 6  # two are for what is under way


def test_pages_are_served_while_every_server_is_down_and_it_ends_with_0(tmp_path: Path) -> None:
    port = free_port()
    with console_program(DOWN, port, tmp_path / "log") as process:
        status, text = page(port, "/")
        assert status == 200
        assert "PostgreSQL did not answer." in text
        assert "Connection refused" in text
        second = subprocess.run(
            [sys.executable, "-m", "console", "serve"],
            env={**DOWN, "CONSOLE_PORT": str(port), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"127.0.0.1:{port} cannot be listened on" in second.stderr
        assert "correct CONSOLE_HOST and CONSOLE_PORT" in second.stderr
        assert "Traceback" not in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_an_open_stream_does_not_keep_it_from_ending() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=STOP_SECONDS) as watcher:
            watcher.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200 OK" in watcher.recv(1024)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS) == 0
            assert time.monotonic() - began < STOP_SECONDS
