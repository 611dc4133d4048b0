"""What holds of every format: each part of one that is left out is told here."""

import importlib
import json
import os
import pkgutil
import re
from pathlib import Path

import pytest

from cudafit.lock import formats
from cudafit.lock.conda_held import is_conda_lock, locked_records
from cudafit.lock.formats import FORMATS, IMAGE, PIP, Format, format_of
from cudafit.lock.held import read_lock
from cudafit.repair.engines.venv_locks import given_lock
from tests.conftest import Run
from tests.lock.channel import make
from tests.lock.every_format import COMPLETE, GOLDEN, HEAD, READ, TOP, needs_conda, table
from tests.lock.world import World

PASCAL = ("torch", "numpy", "--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.12")


def named(*some: Format) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("form", some, ids=[one.name for one in some])


def test_each_module_is_a_format_of_its_name() -> None:
    modules = {one.name for one in pkgutil.iter_modules(formats.__path__)} - {"format"}
    found = {name: importlib.import_module(f"{formats.__name__}.{name}").FORMAT for name in modules}
    assert {name: form.name.replace("-", "_") for name, form in found.items()} == {name: name for name in modules}
    left_out = [name for name, form in found.items() if form not in FORMATS]
    assert not left_out, "lock/formats/__init__.py does not list them"
    assert len(FORMATS) == len(modules)


@named(*FORMATS)
def test_its_name_means_it_and_no_other(form: Format) -> None:
    assert format_of(form.example) is form
    assert [one.name for one in FORMATS if re.fullmatch(one.pattern, form.example)] == [form.name]
    assert f"`{form.example}`" in form.files or form.example.partition(".")[0] in form.files


@named(*FORMATS)
def test_what_holds_packages_is_read_back(form: Format) -> None:
    if form.kind == IMAGE:
        assert not form.read, "a container file names no builds: it copies a lock"
        assert not form.complete
        assert not form.in_image
    else:
        assert form.read, "without it `--check` takes the file for a copy"


@named(*FORMATS)
def test_it_has_a_golden_file(form: Format) -> None:
    assert (GOLDEN / form.example).is_file(), "a case in tests/lock/test_golden.py, written with CUDAFIT_GOLDEN=write"


@named(*FORMATS)
def test_people_are_told_of_it(form: Format, cudafit: Run) -> None:
    told = "".join(cudafit("resolve", "--help").stdout.split())  # names may be broken at their dashes
    assert form.example in told
    assert f"`{form.example}`" in (TOP / "README.md").read_text(encoding="utf-8"), "README.md, under Locks"


def test_the_table_of_the_formats_is_that_of_the_registry() -> None:
    """`CUDAFIT_GOLDEN=write` writes it anew."""
    page = TOP / "docs" / "locks.md"
    text = page.read_text(encoding="utf-8")
    before, head, rest = text.partition(HEAD)
    assert head
    rows, empty, after = rest.partition("\n\n")
    if os.environ.get("CUDAFIT_GOLDEN") == "write":
        page.write_text(before + table().removesuffix("\n") + empty + after, encoding="utf-8")
        return
    assert head + rows + "\n" == table()


@pytest.mark.slow
@named(*READ)
def test_what_is_written_is_read_back_and_judged_the_same(
    form: Format, cudafit: Run, lock_world: World, tmp_path: Path, folder: Path
) -> None:
    """The builds that were picked are the builds that `--check` finds in the file, and they fit as they did."""
    if needs_conda(form):
        pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
    env = {**lock_world.env, "CUDAFIT_CONDA_CHANNEL": make(tmp_path / "channel")}
    words = ("resolve", *PASCAL, "--matrix", str(lock_world.matrix), "--json", "-o", form.example)
    written = cudafit(*words, env=env)
    assert written.returncode == 0, written.stderr
    picks = json.loads(written.stdout)["picks"]
    held = read_lock(form.example, form)
    for pick in picks:
        if pick["requested"]:
            assert held.versions[pick["name"]].partition("=")[0].partition("+")[0] == pick["version"]
    checked = cudafit(*words, "--check", env=env)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    record = json.loads(checked.stdout)
    assert record["picks"] == picks
    assert record["checks"][0]["problems"] == []
    assert held.python == (None if form.edits else record["python"]), "a file of the user has no header"
    files = held.integrity.files
    assert (files is not None) == form.complete, "a lock of all packages says which files are meant"
    if files:
        assert {one.package for one in files} >= {pick["name"] for pick in picks if form.kind == PIP}
        assert all(one.hashes for one in files)


@named(*COMPLETE)
def test_an_environment_is_made_from_it(form: Format, tmp_path: Path) -> None:
    """`create --from` understands the same packages in it as `--check` does."""
    path = str(GOLDEN / form.example)
    if form.kind == PIP:
        given = {one.name for one in given_lock(path, None).packages}
    else:
        assert is_conda_lock(path)
        given = {one.name for one in locked_records(path, "linux-64")}
    assert given == {one.package for one in read_lock(path, form).integrity.files or ()}
