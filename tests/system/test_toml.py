from pathlib import Path

import pytest

import cudafit
from cudafit.system.toml import TomlError, read_document, read_toml
from tests.fuzz.growth import growth
from tests.older import tomllib

LONG = "a." * 200 + "a"
QUOTED = '"a" . ' * 200 + "a"


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"{QUOTED} = 1",
        f"[{LONG}]",
        f"[[{LONG}]]\nb = 1",
        f"x = 1\ny = {{z = 2, {LONG} = 1}}",
        f'"#".{LONG} = 1',
        f"x = 'a' # {LONG}\n{LONG} = 1",
        f'x = """a" {LONG}"""\n{LONG} = 1',
    ],
)
def test_a_key_that_nobody_writes_is_refused_before_it_costs_anything(text: str) -> None:
    for reader in (read_toml, read_document):
        with pytest.raises(TomlError, match="it has a key of more than 100 parts"):
            reader(text)


@pytest.mark.parametrize(
    "text",
    [
        f"x = '{LONG}'",
        f'x = "\\"{LONG}"',
        f'x = """\n{LONG}\n"""',
        f"x = '''\n{LONG}\n'''",
        f"x = 1 # {LONG}",
        f"# {LONG}",
        "a." * 99 + "a = 1",
        "x = [" + "1.5, " * 200 + "]",
        'x = """a"""""\ny = 1 # ' + LONG,
    ],
)
def test_what_only_looks_like_a_long_key_is_read(text: str) -> None:
    assert read_toml(text) == read_toml(text.encode()) == tomllib.loads(text)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("a = ", "Invalid value"),
        (b"a = '\xff'", "it is not UTF-8 text"),
        ("a = " + "[" * 5000, "it is nested too deeply"),
        ("a = " + "1" * 5000, "it holds a number that is too long"),
        (" " * (16 << 20) + "\n", "it is larger than 16384 KiB"),
    ],
)
def test_what_cannot_be_read_is_one_error_on_one_line(data: str | bytes, told: str) -> None:
    with pytest.raises(TomlError, match=told) as raised:
        read_toml(data)
    assert "\n" not in str(raised.value)


def test_a_document_keeps_what_people_wrote_and_is_refused_where_it_is_no_toml() -> None:
    text = "# mine\n[b]\nx = 1  # why\n\n[a]\n"
    assert read_document(text).as_string() == text
    for bad in ("a = ", "#" * (130 << 10), "a = 1\na = 2", "[a]\n[a]"):
        with pytest.raises(TomlError):
            read_document(bad)


@pytest.mark.parametrize(
    "unit", ['"', '"""', '\\"""\n', "'", "'''\n", "#", "a", ".", "a.", "a.\n", " . ", '""" ', '"\\']
)
@pytest.mark.parametrize("start", ["", '"""\n', "'''\n", "." * 120 + "\n"])
def test_the_look_for_long_keys_takes_time_by_length(unit: str, start: str) -> None:
    dots = "." * 120 + "\n"  # so that the whole text is looked at closely

    def refused(text: str) -> None:
        with pytest.raises(TomlError):
            read_toml(text)

    told = growth(refused, lambda size: f"{start}{dots}{unit * (size // len(unit))}\n=", 160_000)
    assert not told, told


def test_nothing_else_reads_toml() -> None:
    sources = Path(cudafit.__file__).parent
    users = [str(path.relative_to(sources)) for path in sources.rglob("*.py") if "tomllib" in path.read_text()]
    parsers = [str(path.relative_to(sources)) for path in sources.rglob("*.py") if "tomlkit.parse" in path.read_text()]
    assert set(users) - {"lint/rules/builtin.py"} == set(parsers) == {"system/toml.py"}
