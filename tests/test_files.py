"""Reading files below a root: as a program inside would see them, and never anything else."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit.files import Files
from tests.machine.trees import Folder, Link, Tree, plant

SECRET = "what only the outside may know"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty root, with a secret beside it and one above."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text(SECRET, encoding="utf-8")
    (tmp_path / "image").mkdir()
    return tmp_path / "image"


def test_the_whole_file_system_is_read_as_it_is(tmp_path: Path) -> None:
    plant(tmp_path, {"/real": "text", "/link": Link("real"), "/folder/below": "x"})
    files = Files()
    assert files.whole
    assert files.locate(f"{tmp_path}/link") == f"{tmp_path}/link"
    assert files.real(f"{tmp_path}/link") == os.path.realpath(tmp_path / "real")
    assert files.read_text(f"{tmp_path}/link") == "text"
    assert files.names(str(tmp_path)) == ["folder", "link", "real"]
    assert files.is_dir(f"{tmp_path}/folder")
    assert files.link_target(f"{tmp_path}/link") == "real"


@pytest.mark.parametrize(
    ("tree", "path", "real"),
    [
        pytest.param({"/a": "inside"}, "/a", "/a", id="plain"),
        pytest.param({"/a": "inside"}, "//.//a", "/a", id="doubled slashes and dots"),
        pytest.param({"/b/a": "inside", "/b/l": Link("a")}, "/b/l", "/b/a", id="relative link"),
        pytest.param({"/b/a": "inside", "/c/l": Link("../b/a")}, "/c/l", "/b/a", id="relative link upwards"),
        pytest.param({"/b/a": "inside", "/c/l": Link("/b/a")}, "/c/l", "/b/a", id="absolute link"),
        pytest.param({"/usr/lib/a": "inside", "/lib": Link("usr/lib")}, "/lib/a", "/usr/lib/a", id="link on the way"),
        pytest.param({"/usr/lib/a": "inside", "/lib": Link("/usr/lib/")}, "/lib/a", "/usr/lib/a", id="final slash"),
        pytest.param({"/a": "inside"}, "/../../a", "/a", id=".. above the root"),
        pytest.param({"/a": "inside", "/b/l": Link("../../../../a")}, "/b/l", "/a", id="link above the root"),
        pytest.param({"/a": "inside", "/b/l": Link("/../../a")}, "/b/l", "/a", id="absolute link above the root"),
        pytest.param({"/u/v/a": "inside", "/l": Link("u/v")}, "/l/../v/a", "/u/v/a", id=".. after a link"),
        pytest.param({"/a": "inside", "/l": Link("/")}, "/l/l/l/a", "/a", id="link to the root"),
    ],
)
def test_links_are_followed_as_inside(tree: Tree, path: str, real: str, root: Path) -> None:
    files = Files(str(plant(root, tree)))
    assert files.read_text(path) == "inside"
    assert files.real(path) == real
    assert files.locate(path) == f"{root}{real}"
    assert files.exists(path)
    assert files.is_file(path)


@pytest.mark.parametrize("target", ["../secret", "/../secret", "../outside/secret", "{outside}/secret", "../../secret"])
def test_a_link_that_points_out_of_the_root_leads_nowhere(target: str, root: Path) -> None:
    target = target.format(outside=root.parent / "outside")
    assert (root.parent / "secret").read_text(encoding="utf-8") == SECRET, "there is something to leak"
    files = Files(str(plant(root, {"/l": Link(target), "/d/l": Link(target)})))
    for path in ("/l", "/d/l"):
        assert not files.exists(path)
        with pytest.raises(FileNotFoundError):
            files.read_text(path)


def test_a_linked_folder_that_points_out_of_the_root_is_not_listed(root: Path) -> None:
    files = Files(str(plant(root, {"/up": Link(".."), "/away": Link(str(root.parent / "outside")), "/here": "x"})))
    assert files.names("/up") == ["away", "here", "up"]
    assert not files.is_dir("/away")
    with pytest.raises(FileNotFoundError):
        files.names("/away")


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"/l": Link("l")}, id="to itself"),
        pytest.param({"/l": Link("/m"), "/m": Link("/l")}, id="two in a circle"),
        pytest.param({"/l": Link("l/l")}, id="growing"),
    ],
)
def test_a_loop_of_links_is_an_error_to_read_and_nothing_to_ask_about(tree: Tree, root: Path) -> None:
    files = Files(str(plant(root, tree)))
    for read in (files.read_bytes, files.locate, files.stat, files.names):
        with pytest.raises(OSError, match="Too many levels") as caught:
            read("/l")
        assert caught.value.errno == errno.ELOOP
    assert not files.exists("/l")
    assert not files.is_dir("/l")
    assert not files.is_file("/l")
    assert files.link_target("/l") is not None


@pytest.mark.parametrize("whole", [True, False])
def test_a_name_that_no_file_can_have_is_a_file_that_is_not_there(whole: bool, root: Path) -> None:
    files = Files() if whole else Files(str(root))
    for read in (files.read_bytes, files.stat, files.names):
        for name in ("/etc/a\0b", "/etc/a\ud800b"):
            with pytest.raises(FileNotFoundError):
                read(name)
    assert not files.exists("/etc/a\0b")
    assert files.link_target("/etc/a\0b") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_refused_without_waiting_for_its_writer(root: Path) -> None:
    os.mkfifo(root / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        Files(str(root)).read_bytes("/fifo")


def test_a_folder_is_refused(root: Path) -> None:
    files = Files(str(plant(root, {"/d": Folder()})))
    with pytest.raises(OSError, match=r"it is a folder|Permission denied"):
        files.read_bytes("/d")
    assert not files.is_file("/d")


@pytest.mark.parametrize(("limit", "read"), [(0, b""), (1, b"a"), (3, b"abc"), (5, b"abcde"), (99, b"abcde")])
def test_no_more_is_read_than_the_limit(limit: int, read: bytes, root: Path) -> None:
    files = Files(str(plant(root, {"/a": b"abcde"})))
    assert files.head("/a", limit) == read
    assert files.tail_text("/a", limit) == "abcde"[5 - min(limit, 5) :]
    if limit >= 5:
        assert files.read_bytes("/a", limit) == read
        return
    with pytest.raises(OSError, match=f"it is larger than {limit} bytes"):
        files.read_bytes("/a", limit)


def test_an_endless_file_ends_at_the_limit() -> None:
    if not os.path.exists("/proc/self/environ"):
        pytest.skip("needs /proc")
    # A file of /proc says that it has no bytes, and has some.
    assert os.stat("/proc/self/maps").st_size == 0
    assert len(Files().head("/proc/self/maps", 100)) == 100
    with pytest.raises(OSError, match="it is larger than 100 bytes"):
        Files().read_bytes("/proc/self/maps", 100)


def test_bytes_that_are_no_text_show_as_replacement_characters(root: Path) -> None:
    plant(root, {"/a": b"1\xff2"})
    assert Files(str(root)).read_text("/a") == "1\ufffd2"


def test_a_broken_link_says_what_it_leads_to(root: Path) -> None:
    files = Files(str(plant(root, {"/d/l": Link("/nowhere"), "/d/a": "x", "/e": Link("d")})))
    assert not files.exists("/d/l")
    assert files.link_target("/d/l") == "/nowhere"
    assert files.link_target("/e/l") == "/nowhere"
    assert files.link_target("/e/") == "d"
    assert files.link_target("/d/a") is None
    assert files.link_target("/d/none") is None
    assert files.link_target("/") is None


def test_names_are_sorted_and_chosen_by_a_pattern_with_its_case(root: Path) -> None:
    files = Files(str(plant(root, {"/d/cuda-12.4": "", "/d/cuda": "", "/d/CUDA": "", "/d/lib": ""})))
    assert files.names("/d", "cuda*") == ["cuda", "cuda-12.4"]
    with pytest.raises(NotADirectoryError):
        files.names("/d/lib")


# Names that mean something inside and outside, so that a step too far is met by a file that tells.
NAMES = ("a", "b", "image", "outside", "secret")
STEPS = st.lists(st.sampled_from((*NAMES, "..", ".", "")), min_size=1, max_size=6).map("/".join)
LINKS = st.dictionaries(
    st.sampled_from(("a", "b", "d/a", "d/b", "d/e/a", "outside", "image")),
    st.one_of(STEPS, STEPS.map("/{}".format), st.just("OUTSIDE"), st.just("OUTSIDE/secret")),
    max_size=7,
)


@settings(deadline=None)
@given(links=LINKS, paths=st.lists(STEPS, min_size=1, max_size=4))
def test_no_link_tree_leads_out_of_the_root(links: dict[str, str], paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        above = Path(os.path.realpath(name))
        plant(above, {f"/{outside}/secret": SECRET for outside in NAMES if outside != "image"})
        root = plant(above / "image", {"/d/e/f": "inside"})
        for place, target in links.items():
            plant(root, {place: Link(target.replace("OUTSIDE", str(above / "outside")) or ".")})
        files = Files(str(root))
        for path in (*paths, *links, *(f"{place}/secret" for place in links)):
            try:
                located = files.locate(path)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                continue
            assert os.path.realpath(located) == located, "nothing is left for the system to follow"
            assert located == str(root) or located.startswith(f"{root}/")
            if files.is_file(path):
                assert files.read_text(path) == "inside"
            elif files.is_dir(path):
                assert "secret" not in files.names(path)
