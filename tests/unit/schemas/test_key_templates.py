"""Keys of lakes that exist already say source, store and day by templates, or are refused."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.key_templates import TemplateInvalid, TemplateKey
from schemas.keys import ApiKey, ErpKey, api_key
from schemas.layouts import OWN_LAYOUT, Layout, read_layout
from schemas.registry import Source

DAY = date(2024, 1, 31)
PLAIN = "raw/{store}/{day}/{endpoint}.json"
HIVE = "dados/{endpoint}/ano={yyyy}/mes={mm}/dia={dd}/loja={store}/{name}.json"
CHECKS = Source.GUEST_CHECKS
OWN_KEY = "raw/api_responses/getGuestChecks/busDt=2024-01-31/storeId=7/x.json"


@pytest.mark.parametrize(
    ("template", "key", "identity"),
    [
        (PLAIN, "raw/001/2024-01-31/getGuestChecks.json", (CHECKS, DAY, "001")),
        (PLAIN, "raw/001/20240131/getGuestChecks.json.gz", (CHECKS, DAY, "001")),
        (PLAIN + ".gz", "raw/001/20240131/getGuestChecks.json", (CHECKS, DAY, "001")),
        (PLAIN, "raw/99%20CB%20CB/20240131/getChargeBack.json", ("getChargeBack", DAY, "99 CB CB")),
        (PLAIN, "raw/São João/20240131/getChargeBack.json", ("getChargeBack", DAY, "São João")),
        (
            HIVE,
            "dados/getTransactions/ano=2024/mes=1/dia=31/loja=A%2FB/part-0.json.gz",
            ("getTransactions", DAY, "A/B"),
        ),
        ("erp=exports/{name}.json", "exports/monday.json", (Source.ERP, None, None)),
        ("x/{endpoint}/{store}.json", "x/getChargeBack/1.json", ("getChargeBack", None, "1")),
        ("x/{endpoint}/{day}", "x/getChargeBack/20240131", ("getChargeBack", DAY, None)),
        ("getGuestChecks=v/{store}/{day}.json", "v/1/2024-01-31.json", (CHECKS, DAY, "1")),
        ("{store}/{day}/{endpoint}.json", "1/20240131/getGuestChecks.json", (CHECKS, DAY, "1")),
        (
            "f/{store}_{day}_{endpoint}.json",
            "f/a_b_20240131_getGuestChecks.json",
            (CHECKS, DAY, "a_b"),
        ),
        ("f/{yyyy}{mm}{dd}/{endpoint}-{store}", "f/20240131/getGuestChecks-1", (CHECKS, DAY, "1")),
        (
            "f/{yyyy}/{mm}/{yyyy}-{mm}-{dd}/{endpoint}/{name}-{store}/{name}.json",
            "f/2024/01/2024-01-31/getGuestChecks/a-7/b.json",
            (CHECKS, DAY, "7"),
        ),
    ],
)
def test_a_key_says_what_its_template_names(
    template: str, key: str, identity: tuple[Any, Any, Any]
) -> None:
    assert read_layout(template).read(key) == TemplateKey(*identity)


@pytest.mark.parametrize(
    "key",
    [
        "raw/001/2024-02-31/getGuestChecks.json",
        "raw/001/2024-1-31/getGuestChecks.json",
        "raw/001/2024-01-31/getMenu.json",
        "raw/001/2024-01-31/getguestchecks.json",
        "raw/001/2024-01-31/deeper/getGuestChecks.json",
        "raw/%FF/2024-01-31/getGuestChecks.json",
        "raw/%00/2024-01-31/getGuestChecks.json",
        "raw/001/2024-01-31/getGuestChecks.csv",
        "raw//2024-01-31/getGuestChecks.json",
        "raw/001/٢٠٢٤-01-31/getGuestChecks.json",
        "",
    ],
)
def test_a_key_that_fits_no_template_is_no_document(key: str) -> None:
    assert not read_layout(PLAIN).is_document(key)


@pytest.mark.parametrize("folder", ["logs", "processed"])
def test_what_our_programs_write_is_never_read(folder: str) -> None:
    layout = read_layout("{store}/{day}/{endpoint}.json")
    assert layout.read(f"{folder}/2024-01-31/getGuestChecks.json") is None
    assert layout.is_document("shop/2024-01-31/getGuestChecks.json")


def test_our_own_layout_is_read_first_and_always() -> None:
    layout = read_layout("raw/{name}/{endpoint}/busDt={day}/storeId=x{store}/{name}.json")
    own = api_key(CHECKS, DAY, "x7", datetime.now(UTC))
    assert layout.read(own) == ApiKey(CHECKS, DAY, "x7")
    assert layout.read("raw/erp/20240131/getGuestChecks.json") == ErpKey()
    assert layout.read("raw/") is None
    assert OWN_LAYOUT.read(OWN_KEY) == layout.read(OWN_KEY) == ApiKey(CHECKS, DAY, "7")


def test_a_key_that_can_be_read_in_two_ways_is_not_read() -> None:
    """Within one template, and between two that no sample tells apart."""
    layout = read_layout("f/{endpoint}/{store}_{name}.json")
    assert layout.read("f/getGuestChecks/a_b.json") == TemplateKey(CHECKS, None, "a")
    assert layout.read("f/getGuestChecks/a_b_c.json") is None
    both = read_layout("erp=f/{store}_a.json, erp=f/b_{name}.json")
    assert both.read("f/x_a.json") == TemplateKey(Source.ERP, None, "x")
    assert both.read("f/b_a.json") is None


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("raw/{loja}/{endpoint}.json", "{loja} at character 5 is unknown; use {store}"),
        ("raw/{store/{endpoint}.json", "the { at character 5 has no partner"),
        ("raw/store}/{endpoint}.json", "the } at character 10 has no partner"),
        ("raw/{}/{endpoint}.json", "{} at character 5 is unknown"),
        ("raw/{store}/{day}.json", "names no source; put {endpoint} into it, or one of erp="),
        ("erp=raw/{store}/{endpoint}.json", "both name the source"),
        ("raw/{endpoint}/{yyyy}/{store}.json", "{yyyy}, {mm} and {dd} together"),
        ("raw/{endpoint}/{day}/{yyyy}{mm}{dd}.json", "{yyyy}, {mm} and {dd} together"),
        ("raw/{endpoint}/{store}{name}.json", "nothing separates the placeholders at character 16"),
        ("/raw/{endpoint}/{name}.json", "without bucket and leading slash"),
        ("s3://lake/{endpoint}/{name}.json", "without bucket and leading slash"),
        ("raw/{endpoint}/", "end in a file's name"),
        ("logs/{endpoint}/{name}.json", "have a fixed meaning; use another folder"),
        ("erp=processed/{name}.json", "have a fixed meaning; use another folder"),
        ("raw/erp/{store}/{day}/{endpoint}.json", "have a fixed meaning; use another folder"),
        (
            f"{PLAIN},{PLAIN}",
            "read the same keys, such as 'raw/001/2024-01-31/getGuestChecks.json'",
        ),
        (f"{PLAIN},raw/{{store}}/{{name}}/{{endpoint}}.json", "remove one, or tell them apart"),
        (f"{PLAIN},getChargeBack={PLAIN.replace('endpoint', 'name')}", "remove one"),
        ("[1]", "must be a list of texts"),
        ("[oops", "no JSON list"),
    ],
)
def test_an_unusable_template_is_refused_with_itself_the_place_and_the_remedy(
    setting: str, named: str
) -> None:
    with pytest.raises(TemplateInvalid) as refused:
        read_layout(setting)
    assert named in str(refused.value)
    assert setting.startswith("[") or setting.partition(",")[0] in str(refused.value)


def test_templates_of_different_folders_stand_side_by_side() -> None:
    """A mapped endpoint beside those that are spelt as ours is a template of its own."""
    layout = read_layout(f'["{PLAIN}", "getGuestChecks=raw/{{store}}/{{day}}/checks, v2.json"]')
    assert layout.read("raw/1/20240131/checks, v2.json") == TemplateKey(CHECKS, DAY, "1")
    assert layout.read("raw/1/20240131/getChargeBack.json") == TemplateKey(
        Source.CHARGE_BACK, DAY, "1"
    )


@pytest.mark.parametrize(
    ("setting", "prefixes"),
    [
        (None, ("raw/",)),
        (PLAIN, ("raw/",)),
        (f"{HIVE},erp=dados/avulsos/{{name}}.json,{PLAIN}", ("dados/", "raw/")),
        ("x/{endpoint}/ano={yyyy}{mm}{dd}.json,erp=z-{name}", ("raw/", "x/", "z-")),
        ("{store}/{day}/{endpoint}.json", ("",)),
    ],
)
def test_the_prefixes_cover_every_document_once(
    setting: str | None, prefixes: tuple[str, ...]
) -> None:
    layout = read_layout(setting)
    assert layout.prefixes == prefixes
    assert all(sample.startswith(prefixes) for sample in layout.samples)
    assert all(layout.is_document(sample) for sample in layout.samples[4:])
    assert len(layout.samples) == 4 + 2 * len(layout.templates)


@pytest.mark.parametrize(
    ("template", "prefixes"),
    [
        (PLAIN, set()),
        ("erp=x/{name}.json", set()),
        ("getGuestChecks=v/{day}/{store}.json", {"v/2024-01-05/", "v/20240105/"}),
        ("erp=v/{yyyy}/{mm}/{dd}-{name}", {"v/2024/01/05-", "v/2024/1/5-"}),
        ("erp=v/{yyyy}/{mm}/{name}/{dd}", set()),
    ],
)
def test_a_day_has_prefixes_where_keys_sort_by_day(template: str, prefixes: set[str]) -> None:
    assert read_layout(template).day_prefixes(date(2024, 1, 5)) == prefixes
    assert "dados/getChargeBack/ano=2024/mes=01/dia=05/loja=" in read_layout(HIVE).day_prefixes(
        date(2024, 1, 5)
    )


@given(st.text())
def test_any_text_is_read_without_a_crash(text: str) -> None:
    layout = read_layout(f"{PLAIN},{HIVE}")
    layout.read(text)
    layout.read(f"raw/{text}/2024-01-31/getGuestChecks.json")
    with suppress(TemplateInvalid):
        assert isinstance(read_layout(text), Layout)
