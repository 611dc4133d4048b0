"""Requirements as people write them."""

from dataclasses import replace

import pytest
from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cudafit.errors import InputError
from cudafit.model.requirement import Wanted, applies, is_specifier, merged, normalised, wanted


@pytest.mark.parametrize(
    ("text", "name", "specifier", "extras"),
    [
        ("torch", "torch", "", ()),
        ("  Torch_Vision >= 0.2 , < 1 ", "torch-vision", ">=0.2,<1", ()),
        ("jax[cuda12, k8s]==0.10.*", "jax", "==0.10.*", ("cuda12", "k8s")),
        ("torch~=2.6", "torch", "~=2.6", ()),
        ("torch===2.14.1+cu126", "torch", "===2.14.1+cu126", ()),
        ("torch (>=2.6)", "torch", ">=2.6", ()),
        ("numpy[]", "numpy", "", ()),
    ],
)
def test_read(text: str, name: str, specifier: str, extras: tuple[str, ...]) -> None:
    item = wanted(text)
    assert (item.name, item.specifier, item.extras, item.text) == (name, specifier, extras, text.strip())
    assert item.marker is None


@pytest.mark.parametrize(
    "text", ["torch=>2", "torch 2.6", "torch==", "==2", "", "torch>=2;", "torch;os=1", "-r x", "a b"]
)
def test_what_is_none_says_where_and_how_to_write_it(text: str) -> None:
    with pytest.raises(InputError) as caught:
        wanted(text, "r.txt:3")
    assert "(r.txt:3)" in str(caught.value)
    assert "write it as" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("marker", "platform", "python", "holds"),
    [
        ("sys_platform == 'linux'", "linux-aarch64", "3.12", True),
        ("sys_platform == 'win32'", "linux-x86_64", "3.12", False),
        ("platform_machine == 'AMD64'", "windows-x86_64", "3.12", True),
        ("platform_machine == 'arm64'", "macos-aarch64", "3.12", True),
        ("platform_machine == 'aarch64'", "linux-aarch64", "3.12", True),
        ("python_version < '3.10'", "linux-x86_64", "3.9", True),
        ("python_version < '3.10'", "linux-x86_64", "3.10", False),
        ("python_full_version >= '3.12.3'", "linux-x86_64", "3.12.4", True),
        ("python_version >= '3.13'", "linux-x86_64", "3.13t", True),
        ("extra == 'gpu'", "linux-x86_64", "3.12", False),
    ],
)
def test_markers_are_judged_for_the_target(marker: str, platform: str, python: str, holds: bool) -> None:
    assert applies(wanted(f"x; {marker}"), platform, python) == holds


def test_an_address_is_kept() -> None:
    item = wanted("x @ https://me:secret@example.org/x-1.whl")
    assert item.url == "https://me:secret@example.org/x-1.whl"


def test_several_words_for_one_package() -> None:
    items = [wanted("torch>=2"), wanted("jax"), wanted("Torch<3", "r.txt:1")]
    assert {name: len(words) for name, words in merged(items).items()} == {"torch": 2, "jax": 1}
    assert normalised("A__b-.C") == "a-b-c"


@pytest.mark.parametrize("platform", ["linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-aarch64"])
@pytest.mark.parametrize(
    "marker",
    [
        'platform_system == "Linux"',
        "platform_system == 'Linux' and platform_machine == 'x86_64'",
        'platform_system == "Linux" and platform_machine == "x86_64" and sys_platform == "linux"',
        'os_name == "nt"',
        'python_version == "3.10" and platform_system == "Linux"',
        'platform_system == "Linux" or sys_platform == "win32"',
        '(platform_system == "Linux" and python_version < "3.13")',
        'platform_machine == ""',
    ],
)
def test_everyday_markers_hold_as_packaging_says(marker: str, platform: str) -> None:
    system, _, processor = platform.partition("-")
    names = {"linux": ("Linux", "linux", "posix"), "windows": ("Windows", "win32", "nt")}
    told = names.get(system, ("Darwin", "darwin", "posix"))
    machines = {"windows-x86_64": "AMD64", "macos-aarch64": "arm64"}
    environment = dict(zip(("platform_system", "sys_platform", "os_name"), told, strict=True))
    environment |= {"platform_machine": machines.get(platform, processor), "python_version": "3.10"}
    item = replace(wanted("x"), marker=marker)
    assert applies(item, platform, "3.10") == Marker(marker).evaluate(environment)


@pytest.mark.parametrize("specifier", ["==1", "==1.*", ">=1.2,<2", "!=1.5.*,>=1", "~=1.2", ">=1.*", "==1.2.*,==1"])
def test_everyday_specifiers_are_those_of_pep_440(specifier: str) -> None:
    try:
        SpecifierSet(specifier)
        right = True
    except InvalidSpecifier:
        right = False
    assert is_specifier(specifier) == right


@pytest.mark.parametrize(
    "text",
    ["x[a\n--pre]", "x @ http://y/\n--pre", "x===1\x1b[2K", "x @ http://y/\u202e", "x[a;b]", "x===1\u2028--pre"],
)
def test_what_would_not_stay_in_its_line_is_no_requirement(text: str) -> None:
    with pytest.raises(InputError, match="is not a requirement"):
        wanted(text)


def test_a_requirement_over_several_lines_is_one_line() -> None:
    assert wanted(" x[a,\n b] >=1,\n <2 ").text == "x[a, b] >=1, <2"


@pytest.mark.parametrize(
    "text", ["torch>=2." + "9" * 5000, "torch==" + "9" * 600, "torch; " + "(" * 5000, "torch==\u0662", "t\u0430rch"]
)
def test_what_packaging_stumbles_over_is_no_requirement(text: str) -> None:
    with pytest.raises(InputError, match="is not a requirement") as caught:
        wanted(text)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "marker", ["os_name ~= 'posix'", "python_version > '" + "9" * 5000 + "'", "extra == 'a' and ("]
)
def test_a_marker_that_compares_nothing(marker: str) -> None:
    item = Wanted("torch", "", (), "torch", "a.txt:3", marker)
    with pytest.raises(InputError, match=r"a\.txt:3"):
        applies(item, "linux-x86_64", "3.12")


@pytest.mark.slow
def test_what_is_said_a_hundred_thousand_times_is_said_once() -> None:
    said = merged([*(wanted("torch") for _ in range(100_000)), wanted("torch>=2"), wanted("numpy")])
    assert {name: [one.text for one in items] for name, items in said.items()} == {
        "torch": ["torch", "torch>=2"],
        "numpy": ["numpy"],
    }
