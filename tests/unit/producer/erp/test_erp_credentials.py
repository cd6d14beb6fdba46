"""What the ERP is shown, and what happens when it expires, against a real HTTP server."""

from pathlib import Path

import pytest
from aiohttp import web

from producer.errors import ErpRefused
from runtime.errors import SettingsInvalid
from tests.support.asking import SettingsFor, ask, ok, status
from tests.support.producer_fakes import FakeErp


async def test_without_a_token_no_authorization_is_sent(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    await ask(settings_for(api_base_url=erp_server.url))
    assert "Authorization" not in erp_server.asked[0][2]


async def test_the_key_goes_along_as_x_api_key(
    erp_server: FakeErp, settings_for: SettingsFor
) -> None:
    erp_server.answer_with(ok)
    await ask(settings_for(api_base_url=erp_server.url, api_key="k3y"))
    headers = erp_server.asked[0][2]
    assert (headers["x-api-key"], headers.get("Authorization")) == ("k3y", None)


async def test_a_token_that_expired_is_read_anew_and_the_question_asked_again(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("old\n", encoding="utf-8")

    async def respond(request: web.Request) -> web.Response:
        file.write_text("new\n", encoding="utf-8")
        return ok() if request.headers["Authorization"] == "Bearer new" else status(401)()

    erp_server.respond = respond
    settings = settings_for(api_base_url=erp_server.url, api_token_file=file, pull_max_attempts=1)
    answer = await ask(settings)
    assert (answer.body, len(erp_server.asked)) == (b'{"rows":[]}', 2)


async def test_a_token_is_renewed_once_and_then_refused(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("t", encoding="utf-8")
    erp_server.answer_with(status(401))
    with pytest.raises(ErpRefused, match="check API_TOKEN"):
        await ask(settings_for(api_base_url=erp_server.url, api_token_file=file))
    assert len(erp_server.asked) == 2


async def test_a_token_file_that_vanished_leaves_the_refusal(
    erp_server: FakeErp, settings_for: SettingsFor, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("t", encoding="utf-8")

    async def respond(_request: web.Request) -> web.Response:
        file.unlink()
        return status(401)()

    erp_server.respond = respond
    with pytest.raises(ErpRefused, match="the ERP answered 401"):
        await ask(settings_for(api_base_url=erp_server.url, api_token_file=file))
    assert len(erp_server.asked) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"a b", "cannot be used"), (b" \n", "is empty")],
)
async def test_an_unusable_token_file_is_named_before_anything_is_sent(
    settings_for: SettingsFor, tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsInvalid, match=message) as caught:
        await ask(settings_for(api_base_url="http://127.0.0.1:1", api_token_file=file))
    assert "a b" not in str(caught.value)
