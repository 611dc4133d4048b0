"""What an index lists, against pypi-simple, which reads it with other means."""

import sys
from typing import Any

import pypi_simple
import pytest
import requests

from cudafit.lock.listing import version_in
from cudafit.simple_index import (
    NotAnIndexError,
    address_of,
    everybodys,
    files_of,
    is_everybodys,
    of_html,
    of_json,
)
from tests.matrix.harvest.server import Index, serving

ADDRESS = "https://index.example/simple/torch/"
SHA = "a" * 64


def page(*links: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{''.join(links)}</body></html>".encode()


PAGES = {
    "as an index writes it": page(
        f'<a href="../../files/torch-2.6.0-cp312-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.9">'
        "torch-2.6.0-cp312-none-any.whl</a><br/>\n",
        f'<a href="https://files.example/torch-2.6.0.tar.gz#sha256={SHA}" data-yanked="">torch-2.6.0.tar.gz</a>',
    ),
    "no digest, another digest": page(
        '<a href="torch-1.0.zip">torch-1.0.zip</a>', '<a href="torch-1.1.zip#md5=00">torch-1.1.zip</a>'
    ),
    "a base": page('<a href="torch-1.0.zip">torch-1.0.zip</a>', head='<base href="/other/"><base href="/third/">'),
    "a base with a host": page(
        '<a href="torch-1.0.zip">torch-1.0.zip</a>', head='<BASE HREF="https://cdn.example/x/">'
    ),
    "capitals, blanks, entities": page(
        '<A HREF="torch-1.0%2Bcu126.zip?a=1&amp;b=2"\n DATA-YANKED="why &gt;">\n torch-1.0+cu126.zip\n</A>'
    ),
    "tags in the text": page('<a href="a.whl"><span>a</span><b>.whl</b></a>', "<p>text</p>", "<a>nothing</a>"),
    "no quotes": page("<a href=torch-1.0.zip>torch-1.0.zip</a>"),
    "a comment and a script": page(
        "<!-- <a href='x.whl'>x.whl</a> -->", '<script>"<a href=y.whl>"</script>', "<a href=z.whl>z.whl</a>"
    ),
    "the version of the format": page(
        "<a href=z.whl>z.whl</a>", head='<meta name="pypi:repository-version" content="1.3">'
    ),
    "nothing but the version": page(head='<meta name="pypi:repository-version" content="1.0">'),
    "nothing but the title": page(head="<title>Links for torch</title>"),
    "Latin letters": '<a href="é.whl">é.whl</a>'.encode("latin-1"),
}


def shown(files: Any) -> list[tuple[str, str, str | None, bool]]:
    return [(one.name, one.url, one.sha256, one.yanked) for one in files]


def as_pypi_simple(content: bytes, charset: str | None) -> list[tuple[str, str, str | None, bool]]:
    found = []
    for link in pypi_simple.RepositoryPage.from_html(content, ADDRESS, charset).links:
        url, _, fragment = link.url.partition("#")
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None
        found.append((link.text, url, digest, "data-yanked" in (link.attrs or {})))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_html_is_read_as_pypi_simple_reads_it(name: str) -> None:
    charset = "latin-1" if name == "Latin letters" else "utf-8"
    found = shown(of_html(PAGES[name], ADDRESS, charset))
    assert found == as_pypi_simple(PAGES[name], charset)
    assert bool(found) == ("nothing but" not in name)


def test_a_charset_that_nobody_knows() -> None:
    assert [one.name for one in of_html(b"<a href=z.whl>z.whl</a>", ADDRESS, "no-such")] == ["z.whl"]


@pytest.mark.parametrize(
    "content", [b"<form>log in</form>", b"", page('<a href="/help">help</a>'), b"<a href=z.whl>", b"not a page"]
)
def test_a_page_for_people_is_no_index(content: bytes) -> None:
    with pytest.raises(NotAnIndexError):
        list(of_html(content, ADDRESS, None))


@pytest.mark.parametrize(
    "content",
    [
        b"<a href=z.whl>z.whl</a><meta name='pypi:repository-version' content='2.0'>",
        b"<a " * 1000,
        b"<b>" * 1000 + b"z.whl",
        b"<!-- " * 1000,
    ],
)
def test_what_is_no_page_of_this_format(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"another version|its tags have no end"):
        list(of_html(content, ADDRESS, None))


def test_json_is_read_as_pypi_simple_reads_it() -> None:
    files: list[dict[str, Any]] = [
        {"filename": "torch-2.6.0-cp312-none-any.whl", "url": "/files/a.whl", "hashes": {"sha256": SHA}},
        {"filename": "torch-2.5.0.tar.gz", "url": "https://f.example/b", "hashes": {}, "yanked": "broken"},
        {"filename": "torch-2.4.0.tar.gz", "url": "c", "hashes": {"md5": "0"}, "yanked": False},
        {"filename": "torch-2.3.0.tar.gz", "url": "d", "hashes": {"sha256": SHA}, "yanked": True},
    ]
    data = {"meta": {"api-version": "1.1"}, "name": "torch", "files": files}
    theirs = pypi_simple.ProjectPage.from_json_data(data, ADDRESS).packages
    expected = [(one.filename, one.url, dict(one.digests).get("sha256"), bool(one.is_yanked)) for one in theirs]
    assert shown(of_json(data, ADDRESS)) == expected
    with pytest.raises(ValueError, match="another version"):
        list(of_json({**data, "meta": {"api-version": "2.0"}}, ADDRESS))


@pytest.mark.parametrize("html", [False, True])
def test_over_http(html: bool) -> None:
    name = "torch-2.6.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    with serving(Index({"torch": {name: b"x"}}, html=html)) as index, requests.Session() as session:
        (found,) = files_of("Torch", index.address, session, 10)
        with pypi_simple.PyPISimple(index.address, session=session) as client:
            (theirs,) = client.get_project_page("Torch", timeout=10).packages
    assert (found.name, found.url, found.sha256) == (theirs.filename, theirs.url, dict(theirs.digests).get("sha256"))


@pytest.mark.parametrize("index", ["https://i.example/simple", "https://me:word@i.example/simple/"])
@pytest.mark.parametrize("package", ["Flash_Attn", "zope.interface", "a--b"])
def test_addresses_are_those_of_pypi_simple(index: str, package: str) -> None:
    with pypi_simple.PyPISimple(index) as client:
        assert address_of(package, index) == client.get_project_url(package)


def test_uv_knows_which_index_everybody_uses() -> None:
    assert (everybodys() or "").rstrip("/") == pypi_simple.PYPI_SIMPLE_ENDPOINT.rstrip("/")
    assert is_everybodys(pypi_simple.PYPI_SIMPLE_ENDPOINT.replace("/simple", "/other"))
    assert not is_everybodys("https://index.example/simple")


@pytest.mark.parametrize(
    "name",
    [
        "torch-2.6.0+cu126-cp312-cp312-manylinux_2_28_x86_64.whl",
        "torch-2.6.0-1-cp312-none-any.whl",
        "flash_attn-2.7.4.post1.tar.gz",
        "torch-1.0rc1.zip",
        "torch-1.0.tar.bz2",
        "torch-1.0-py3.6.egg",
    ],
)
def test_the_version_in_a_name(name: str) -> None:
    project = name.split("-", maxsplit=1)[0].replace("_", "-")
    assert version_in(name) == pypi_simple.parse_filename(name, project)[1]


@pytest.mark.parametrize("name", ["torch.whl", "torch.tar.gz", "torch-1.0.exe", "", "a-b.whl"])
def test_a_name_that_tells_no_version(name: str) -> None:
    assert version_in(name) == ""


def test_without_uv_nobody_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    everybodys.cache_clear()
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ModuleNotFoundError):
        everybodys()
    assert not is_everybodys("https://index.example/simple")
