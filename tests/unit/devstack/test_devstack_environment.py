from devstack.environment import command_environment, export_lines


def test_nothing_that_leads_past_the_local_servers_is_handed_on() -> None:
    """Profiles, tokens, service endpoints, PG* defaults: all of both families go."""
    caller = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "t",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "PGHOST": "elsewhere",
        "PGOPTIONS": "-c x=y",
        "HOME": "/home/me",
    }
    got = command_environment(caller, {"AWS_REGION": "us-east-1"}, python="/v/bin/python")
    assert {name for name in got if name.startswith(("AWS_", "PG"))} == {"AWS_REGION"}
    assert got["HOME"] == "/home/me"


def test_the_projects_programs_come_first_on_the_path() -> None:
    got = command_environment({"PATH": "/usr/bin"}, {}, python="/v/bin/python")
    assert got["PATH"] == "/v/bin:/usr/bin"


def test_local_addresses_bypass_a_proxy_beside_those_that_did_already() -> None:
    got = command_environment({"NO_PROXY": "intranet"}, {})
    assert got["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert got["no_proxy"] == "127.0.0.1,localhost"


def test_exports_are_quoted_for_a_shell() -> None:
    assert export_lines({"A": "1", "B": "it's two"}) == "export A=1\nexport B='it'\"'\"'s two'"
