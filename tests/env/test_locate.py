"""Which environment is meant, and why: real folders, made as the tools make them."""

import base64
import hashlib
import os
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cudafit.env.locate import Asked, locate, may_be_meant, required
from cudafit.env.nearby import parents
from cudafit.env.prefixes import at
from cudafit.errors import InputError, UndeterminedError
from cudafit.files import Files
from cudafit.model.environment import CONDA, SYSTEM, VENV
from cudafit.model.located import Located, Nowhere
from cudafit.model.machine import CondaInstallation

FILES = Files()
Found = Located | Nowhere


def a_venv(path: Path, more: str = "") -> str:
    (path / "bin").mkdir(parents=True)
    (path / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = 3.12.4\n{more}")
    a_python(path / "bin")
    return str(path)


def a_conda(path: Path) -> str:
    (path / "conda-meta").mkdir(parents=True)
    (path / "conda-meta" / "python-3.12.4-h1_0.json").write_text("{}")
    (path / "bin").mkdir()
    a_python(path / "bin")
    return str(path)


def a_python(folder: Path, name: str = "python3", start: bytes = b"\x7fELF") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(start + b" no program")
    (folder / name).chmod(0o755)
    return str(folder / name)


def a_file(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def meant(folder: Path | str, environ: Mapping[str, str] | None = None, **more: str | bool) -> Found:
    return locate(FILES, Asked(environ=environ or {}, folder=str(folder), **more))  # type: ignore[arg-type]


def found(folder: Path | str, environ: Mapping[str, str] | None = None, **more: str | bool) -> Located:
    return required(meant(folder, environ, **more))


def said(one: Found) -> str:
    return "\n".join(f"{each.fact} [{each.via}]" for each in one.evidence)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With a home of its own, so that what lies beside it is never looked at."""
    (tmp_path / "home" / "project").mkdir(parents=True)
    return tmp_path / "home" / "project"


def home(project: Path) -> dict[str, str]:
    return {"HOME": str(project.parent)}


# Named.


def test_by_folder_interpreter_and_project(tmp_path: Path) -> None:
    venv.create(tmp_path / "p" / ".venv", with_pip=False)
    own = f"{tmp_path}/p/.venv"
    for path in (own, f"{own}/bin/python", f"{own}/bin/python3", f"{tmp_path}/p"):
        one = found("/", path=path)
        assert (one.prefix, one.kind, one.how, one.sure, one.found_by) == (own, VENV, "named", "certain", "named")
        assert said(one) == f"{own} was named [{path}]"
    assert found(tmp_path, path="p").prefix == own
    assert at(FILES, str(tmp_path), "named") is None
    with pytest.raises(InputError, match="not a Python environment"):
        found(tmp_path, path="nowhere")


def test_a_named_project_has_what_would_be_found_in_it(project: Path) -> None:
    pixi = a_conda(project / ".pixi" / "envs" / "default")
    assert found("/", path=str(project)).prefix == pixi


def test_an_interpreter_by_a_link_from_elsewhere_is_where_it_really_lies(tmp_path: Path) -> None:
    real = a_python(tmp_path / "uv" / "cpython-3.12.4" / "bin", "python3.12")
    (tmp_path / "local" / "bin").mkdir(parents=True)
    (tmp_path / "local" / "bin" / "python3.12").symlink_to(real)
    one = found("/", path=f"{tmp_path}/local/bin/python3.12")
    assert (one.prefix, one.kind) == (f"{tmp_path}/uv/cpython-3.12.4", SYSTEM)
    a_conda(tmp_path / "conda")
    (tmp_path / "local" / "bin" / "python").symlink_to(tmp_path / "conda" / "bin" / "python3")
    one = found("/", path=f"{tmp_path}/local/bin/python")
    assert (one.prefix, one.kind) == (f"{tmp_path}/conda", CONDA)


def test_conda_by_name(tmp_path: Path) -> None:
    root, other = tmp_path / "conda", tmp_path / "elsewhere" / "gpu"
    for path in (root, root / "envs" / "train", other):
        (path / "conda-meta").mkdir(parents=True)
    a_file(tmp_path / ".conda" / "environments.txt", f"{other}\n")
    installations = (CondaInstallation("conda", str(root), "25", "x"),)

    def by_name(name: str) -> Located:
        asked = Asked(conda=name, environ={"HOME": str(tmp_path)}, installations=lambda: installations)
        return required(locate(FILES, asked))

    for name, path in (("train", root / "envs" / "train"), ("base", root), ("gpu", other)):
        one = by_name(name)
        assert (one.prefix, one.kind, one.how, one.found_by) == (str(path), CONDA, "named", f"--conda {name}")
    for name in ("nowhere", "../evil", ""):
        with pytest.raises(InputError):
            by_name(name)


def test_a_kernel_names_the_environment_of_its_python(project: Path) -> None:
    one, active = a_venv(project / "one"), a_venv(project / "active")
    spec = a_file(project.parent / ".local/share/jupyter/kernels/gpu/kernel.json", f'{{"argv": ["{one}/bin/python3"]}}')
    got = found(project, {**home(project), "VIRTUAL_ENV": active}, kernel="GPU")
    assert (got.prefix, got.found_by, got.active) == (one, "by the kernel gpu", active)
    assert got.kernel
    assert said(got) == f"the kernel gpu starts {one}/bin/python3 [{spec}]"
    with pytest.raises(InputError, match="no Jupyter kernel `other`"):
        found(project, home(project), kernel="other")


def test_only_one_name_at_a_time() -> None:
    with pytest.raises(InputError, match="each name the environment"):
        found("/", path="x", conda="y")


# Active.


def test_the_active_one_goes_before_the_nearby_one(project: Path) -> None:
    active, near = a_venv(project / "elsewhere" / "active"), a_venv(project / ".venv")
    one = found(project, {"VIRTUAL_ENV": active, "PATH": f"{active}/bin"})
    assert (one.prefix, one.how, one.found_by) == (active, "active", "active (VIRTUAL_ENV)")
    assert [(other.path, other.why) for other in one.others] == [(near, "in this folder")]
    assert one.sure == "likely"
    assert found("/", {"VIRTUAL_ENV": active, "PATH": f"{active}/bin"}).sure == "certain"


@pytest.mark.parametrize(
    ("path", "wins"),
    [
        ("VENV/bin:CONDA/bin", "VENV"),
        ("CONDA/bin:VENV/bin", "CONDA"),
        ("/usr/bin:CONDA/bin:VENV/bin", "CONDA"),
        ("CONDA/bin", "CONDA"),
        ("/usr/bin:VENV/bin/", "VENV"),
        ("LINK/bin:CONDA/bin", "VENV"),
        ("/usr/bin", "VENV"),
        ("", "VENV"),
    ],
)
def test_of_two_active_ones_the_one_that_comes_first_on_path(project: Path, path: str, wins: str) -> None:
    places = {"VENV": a_venv(project / "venv-of-mine"), "CONDA": a_conda(project / "conda")}
    (project / "link").symlink_to(project / "venv-of-mine")
    for name, place in (*places.items(), ("LINK", f"{project}/link")):
        path = path.replace(name, place)
    one = found("/", {"VIRTUAL_ENV": places["VENV"], "CONDA_PREFIX": places["CONDA"], "PATH": path})
    (other,) = [place for name, place in places.items() if name != wins]
    assert one.prefix == places[wins]
    assert other in [each.path for each in one.others]
    assert one.sure == "likely"


@pytest.mark.parametrize("name", [".venv", ".pixi/envs/default"])
def test_condas_base_which_every_shell_begins_with_is_not_meant_beside_another(project: Path, name: str) -> None:
    base = a_conda(project.parent / "miniforge3")
    environ = {**home(project), "CONDA_PREFIX": base, "PATH": f"{base}/bin"}
    named = {**environ, "CONDA_DEFAULT_ENV": "base"}
    assert found(project, named).prefix == base, "nothing else is there"
    own = (a_conda if "pixi" in name else a_venv)(project / name)
    one = found(project, named)
    assert (one.prefix, one.how, one.sure) == (own, "nearby", "likely")
    assert [(other.path, other.why) for other in one.others] == [(base, "conda's base, active (CONDA_PREFIX)")]
    assert said(one) == f"conda's base alone is active, and {own} is {one.found_by} [{own}]"
    assert found(project, environ).prefix == base, "nothing tells that it is conda's own"
    a_file(project.parent / "miniforge3" / "conda-meta" / "conda-25.1.0-py312_0.json", "{}")
    assert found(project, environ).prefix == own
    active = a_venv(project.parent / "active")
    both = {**named, "VIRTUAL_ENV": active, "PATH": f"{active}/bin:{base}/bin"}
    assert found(project, both).prefix == active
    gpu = a_conda(project.parent / "miniforge3" / "envs" / "gpu")
    one = found(project, {**home(project), "CONDA_PREFIX": gpu, "CONDA_DEFAULT_ENV": "gpu", "PATH": f"{gpu}/bin"})
    assert (one.prefix, one.how) == (gpu, "active")


@pytest.mark.parametrize("stale", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_a_stale_variable_is_said_and_the_live_one_is_taken(project: Path, stale: str) -> None:
    live, gone = a_venv(project / "live"), f"{project}/gone"
    (other,) = {"VIRTUAL_ENV", "CONDA_PREFIX"} - {stale}
    one = found("/", {stale: gone, other: live, "PATH": f"{gone}/bin:{live}/bin"})
    assert (one.prefix, one.found_by) == (live, f"active ({other})")
    assert f"stale: {stale} names {gone}, which is not there any more [{stale}]" in said(one)


def test_a_variable_for_an_emptied_folder_is_stale_too(project: Path) -> None:
    (project / "empty").mkdir()
    near = a_venv(project / ".venv")
    one = found(project, {**home(project), "VIRTUAL_ENV": f"{project}/empty"})
    assert one.prefix == near
    assert "which has no Python environment any more" in said(one)


def test_what_uv_laid_over_an_environment_is_not_the_users(project: Path) -> None:
    own = a_venv(project / ".venv")
    overlay = a_venv(project / "cache" / "builds-v0" / ".tmpx", f"extends-environment = {own}\n")
    one = found("/", {"VIRTUAL_ENV": overlay, "PATH": f"{overlay}/bin"})
    assert (one.prefix, one.how) == (own, "active")
    tool = a_venv(project / "cache" / "archive-v0" / "x")
    one = found(project, {**home(project), "VIRTUAL_ENV": tool, "PATH": f"{tool}/bin"})
    assert (one.prefix, one.how) == (own, "nearby")
    assert f"{tool} is what uv made to run cudafit" in said(one)


# This folder, and those above.


@pytest.mark.parametrize(
    ("there", "first"),
    [
        ([".venv", "venv", "env"], ".venv"),
        (["venv", "env"], "venv"),
        (["env", "a"], "env"),
        (["b", "a"], "a"),
        ([".pixi/envs/default", "a"], ".pixi/envs/default"),
        ([".pixi/envs/cuda", ".pixi/envs/default"], ".pixi/envs/default"),
        ([".pixi/envs/test", ".pixi/envs/cuda"], ".pixi/envs/cuda"),
        ([".venv", ".pixi/envs/default"], ".venv"),
    ],
)
def test_several_in_one_folder(project: Path, there: list[str], first: str) -> None:
    for name in there:
        (a_conda if "pixi" in name else a_venv)(project / name)
    one = found(project, home(project))
    assert one.prefix == f"{project}/{first}"
    assert {other.path for other in one.others} == {f"{project}/{name}" for name in there} - {one.prefix}
    assert (one.how, one.sure) == ("nearby", "guess")


def test_one_alone_in_this_folder(project: Path) -> None:
    own = a_venv(project / ".venv")
    one = found(project, home(project))
    assert (one.prefix, one.sure, one.found_by, one.others) == (own, "likely", "in this folder", ())
    assert said(one) == f"no environment is active, and {own} is in this folder [{own}]"


def test_that_of_a_folder_above(project: Path) -> None:
    own = a_venv(project / ".venv")
    (project / "src" / "deep").mkdir(parents=True)
    one = found(project / "src" / "deep", home(project))
    assert (one.prefix, one.how, one.sure) == (own, "nearby", "guess")
    assert one.found_by == f"in {project}, above this folder"
    nearer = a_venv(project / "src" / "gpu")
    assert found(project / "src" / "deep", home(project)).prefix == nearer


def test_a_broken_folder_is_said_and_passed_over(project: Path) -> None:
    (project / ".venv" / "lib").mkdir(parents=True)
    other = a_venv(project / "venv")
    one = found(project, home(project))
    assert one.prefix == other
    assert f"{project}/.venv is no whole environment: it has neither a pyvenv.cfg nor a conda-meta" in said(one)


@pytest.mark.parametrize(
    ("path", "text", "lacks"),
    [
        ("venv/pyvenv.cfg", "home = /usr/bin\n", "it has a pyvenv.cfg, and neither an interpreter nor packages"),
        ("env/conda-meta/", "", "its conda-meta is empty"),
        (".pixi/envs/default/conda-meta/", "", "its conda-meta is empty"),
        (".venv/.gitkeep", "", "it has neither a pyvenv.cfg nor a conda-meta"),
    ],
)
def test_what_was_begun_or_copied_in_part_is_none(project: Path, path: str, text: str, lacks: str) -> None:
    if path.endswith("/"):
        (project / path).mkdir(parents=True)
    else:
        a_file(project / path, text)
    one = meant(project, home(project))
    assert isinstance(one, Nowhere)
    place = (
        path.partition("/conda-meta")[0].rpartition("/")[0]
        if "conda-meta" not in path
        else path[: -len("/conda-meta/")]
    )
    assert f"{project}/{place} is no whole environment: {lacks}" in said(one)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        one = meant(project, {**home(project), variable: f"{project}/{place}"})
        assert isinstance(one, Nowhere)
        assert f"stale: {variable} names {project}/{place}, which has no Python environment any more" in said(one)


def test_what_uvs_variable_names_and_is_none_is_said(project: Path) -> None:
    a_file(project / "pyproject.toml")
    a_file(project.parent / "python/venv/.gitkeep")
    one = meant(project, {**home(project), "UV_PROJECT_ENVIRONMENT": f"{project.parent}/python/venv"})
    assert isinstance(one, Nowhere)
    assert f"UV_PROJECT_ENVIRONMENT names {project.parent}/python/venv, which is no Python environment" in said(one)
    own = a_venv(project / ".venv")
    assert found(project, {**home(project), "UV_PROJECT_ENVIRONMENT": "/nowhere"}).prefix == own


def test_packages_without_an_environment_are_said_and_the_systems_python_is_not_taken(project: Path) -> None:
    a_python(project / "usr" / "bin")
    (project / "work" / "__pypackages__" / "3.12" / "lib").mkdir(parents=True)
    one = meant(project / "work", {**home(project), "PATH": f"{project}/usr/bin"})
    assert isinstance(one, Nowhere)
    assert f"{project}/work/__pypackages__ (PEP 582) has packages without an environment" in said(one)
    own = a_venv(project / "work" / ".venv")
    assert found(project / "work", {**home(project), "PATH": f"{project}/usr/bin"}).prefix == own


def test_any_name_counts_up_to_the_top_of_the_project_and_never_in_a_home(project: Path) -> None:
    a_venv(project / "gpu-env")
    below = project / "package" / "src"
    below.mkdir(parents=True)
    assert found(below, home(project)).prefix == f"{project}/gpu-env"
    a_file(project / "package" / "pyproject.toml")
    assert isinstance(meant(below, home(project)), Nowhere), "the project ends at its pyproject.toml"
    (project / ".git").mkdir()
    assert found(below, home(project)).prefix == f"{project}/gpu-env", "the repository is the larger one"
    (project / ".git").rmdir()
    a_venv(project.parent / "tool")
    assert isinstance(meant(below, home(project)), Nowhere)
    assert found(project.parent, home(project)).prefix == f"{project.parent}/tool", "a home in which one stands"
    own = a_venv(project.parent / ".venv")
    assert found(below, home(project)).prefix == own, "its usual names count"


def test_what_anybody_may_have_put_above_is_not_taken(project: Path) -> None:
    shared = project / "shared"
    a_venv(shared / "theirs")
    (shared / "work").mkdir()
    assert found(shared / "work", home(project)).prefix == f"{shared}/theirs"
    shared.chmod(0o777)
    assert isinstance(meant(shared / "work", home(project)), Nowhere)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_another_users_environment_above_is_said_and_not_taken(project: Path) -> None:
    theirs = a_venv(project / ".venv")
    (project / "work").mkdir()
    os.chown(theirs, 12345, 12345)
    one = meant(project / "work", home(project))
    assert isinstance(one, Nowhere)
    assert f"{theirs}, above this folder, belongs to another user [stat]" in said(one)
    assert found(project, home(project)).prefix == theirs, "in this folder it is the user's own choice"
    os.chown(project / "work", 12345, 12345)
    assert found(project / "work", home(project)).prefix == theirs, "root in a folder of theirs"


def test_links_in_a_circle_and_thousands_of_folders(project: Path) -> None:
    (project / ".venv").symlink_to(project / "venv")
    (project / "venv").symlink_to(project / ".venv")
    for number in range(3000):
        (project / f"d{number}").mkdir()
    assert isinstance(meant(project, home(project)), Nowhere)
    assert len(list(parents("/a" * 500))) == 64


# Kept elsewhere by tools.


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:8]


POETRY = '[tool.poetry]\nname = "My Project"\n'


def test_poetrys(project: Path) -> None:
    a_file(project / "pyproject.toml", POETRY)
    stem = f"my_project-{digest(str(project))}"
    kept = project.parent / ".cache/pypoetry/virtualenvs"
    old, new = a_venv(kept / f"{stem}-py3.9"), a_venv(kept / f"{stem}-py3.12")
    a_venv(kept / f"other-{digest(str(project))}-py3.13")
    one = found(project, home(project))
    assert (one.prefix, one.found_by) == (new, "poetry's, in this folder")
    assert [other.path for other in one.others] == [old]
    a_file(kept / "envs.toml", f'[{stem}]\nminor = "3.9"\npatch = "3.9.13"\n')
    assert found(project, home(project)).prefix == old, "`poetry env use` chose it"
    (project / "src").mkdir()
    assert found(project / "src", home(project)).prefix == old
    own = a_venv(project / ".venv")
    assert found(project, home(project)).prefix == own, "virtualenvs.in-project"


@pytest.mark.parametrize(
    ("path", "text", "variable"),
    [
        (".config/pypoetry/config.toml", '[virtualenvs]\npath = "HOME/envs"\n', ""),
        (".config/pypoetry/config.toml", '[virtualenvs]\npath = "{cache-dir}/../envs"\n', ""),
        ("project/poetry.toml", '[virtualenvs]\npath = "../envs"\n', ""),
        ("nothing", "", "POETRY_VIRTUALENVS_PATH"),
    ],
)
def test_poetrys_where_it_is_told_to_keep_them(project: Path, path: str, text: str, variable: str) -> None:
    a_file(project / "pyproject.toml", '[project]\nname = "x"\n[tool.poetry]\n')
    a_file(project.parent / path, text.replace("HOME", str(project.parent)))
    (project.parent / ".cache" / "pypoetry").mkdir(parents=True)
    places = ("envs", ".cache/envs")
    for place in places:
        a_venv(project.parent / place / f"x-{digest(str(project))}-py3.12")
    environ = {**home(project), **({variable: f"{project.parent}/envs"} if variable else {})}
    place = places["cache-dir" in text]
    assert found(project, environ).prefix == f"{project.parent}/{place}/x-{digest(str(project))}-py3.12"


def test_pipenvs(project: Path) -> None:
    a_file(project / "Pipfile")
    name = f"project-{digest(f'{project}/Pipfile')}"
    usual = a_venv(project.parent / ".local/share/virtualenvs" / name)
    assert found(project, home(project)).prefix == usual
    assert found(project, home(project)).found_by == "pipenv's, in this folder"
    own = a_venv(project.parent / "work" / name)
    assert found(project, {**home(project), "WORKON_HOME": f"{project.parent}/work"}).prefix == own
    chosen = a_venv(project.parent / ".local/share/virtualenvs" / "mine")
    assert found(project, {**home(project), "PIPENV_CUSTOM_VENV_NAME": "mine"}).prefix == chosen


@pytest.mark.parametrize("text", ["mine\n", "../.local/share/virtualenvs/mine"])
def test_a_dot_venv_that_is_a_file_leads_on(project: Path, text: str) -> None:
    kept = a_venv(project.parent / ".local/share/virtualenvs/mine")
    a_file(project / ".venv", text)
    assert found(project, home(project)).prefix == kept


def test_hatchs(project: Path) -> None:
    a_file(project / "pyproject.toml", '[project]\nname = "My.Project"\n')
    kept = project.parent / ".local/share/hatch/env/virtual/my-project" / digest(str(project))
    test = a_venv(kept / "test")
    assert found(project, home(project)).prefix == test
    own = a_venv(kept / "my-project")
    one = found(project, home(project))
    assert (one.prefix, one.found_by) == (own, "hatch's, in this folder")
    assert [other.path for other in one.others] == [test]
    a_file(project.parent / ".config/hatch/config.toml", '[dirs.env]\nvirtual = ".hatch"\n')
    flat = a_venv(project / ".hatch" / "my-project")
    assert found(project, home(project)).prefix == flat


def test_pdms_and_uvs(project: Path) -> None:
    kept = a_venv(project.parent / "pdm" / "venvs" / "x")
    a_file(project / ".pdm-python", f"{kept}/bin/python\n")
    assert found(project, home(project)).prefix == kept
    a_file(project / "pyproject.toml")
    own = a_venv(project.parent / "of-uv")
    assert found(project, {**home(project), "UV_PROJECT_ENVIRONMENT": "../of-uv"}).prefix == own


def test_condas_by_the_projects_file(project: Path) -> None:
    a_file(project / "environment.yml", "# mine\nname: gpu\ndependencies: [python]\n")
    asked: list[int] = []

    def installations() -> Iterator[CondaInstallation]:
        asked.append(1)
        return iter([CondaInstallation("conda", f"{project.parent}/miniforge3", "25", "x")])

    def here() -> Found:
        return locate(
            FILES, Asked(environ=home(project), folder=str(project), installations=lambda: tuple(installations()))
        )

    none = here()
    assert isinstance(none, Nowhere)
    assert said(none).startswith("environment.yml names the conda environment `gpu`, which was not made")
    own = a_conda(project.parent / "miniforge3" / "envs" / "gpu")
    one = required(here())
    assert (one.prefix, one.kind, one.found_by) == (own, CONDA, "conda's, in this folder")
    a_file(project / "environment.yml", "name: base\n")
    before = len(asked)
    assert isinstance(here(), Nowhere), "conda's own is not made from a file"
    assert len(asked) == before, "nobody needs to look for conda"
    kept = a_conda(project.parent / "prefix")
    a_file(project / "environment.yml", f"name: gpu\nprefix: {kept}\n")
    assert required(here()).prefix == kept


def test_condas_in_the_folder(project: Path) -> None:
    for name in ("envs", ".conda"):  # `conda create --prefix ./envs`, and what editors make
        own = a_conda(project / name)
        assert found(project, home(project)).prefix == own
        (project / name).rename(project.parent / f"kept-{name}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[[["),
        ("pyproject.toml", '[tool]\npoetry = 3\n[project]\nname = ["x"]\n'),
        ("pyproject.toml", '[tool.poetry]\nname = "../../../etc\\u0000"\n'),
        ("poetry.toml", '[virtualenvs]\npath = "\\u0000"\n'),
        (".venv", "a\0b"),
        (".venv", "x" * 10000),
        (".pdm-python", "/" * 3000),
        ("environment.yml", "name: ../../x\nprefix: /dev/zero\n"),
        ("Pipfile", "\0"),
    ],
)
def test_hostile_files_of_projects(project: Path, name: str, text: str) -> None:
    a_file(project / "pyproject.toml", POETRY)
    a_file(project / name, text)
    assert isinstance(meant(project, home(project)), Nowhere)


# The Python first on PATH.


def test_the_python_first_on_path(project: Path) -> None:
    system, conda, own = project / "usr", project / "opt" / "conda", project / "opt" / "venv"
    a_python(system / "bin")
    a_conda(conda)
    a_venv(own)
    folder = project / "work"
    folder.mkdir()
    (project / ".git").mkdir()
    for path, prefix, kind in (
        (f"{system}/bin:{conda}/bin", system, SYSTEM),
        (f"nowhere:/nowhere:{conda}/bin:{system}/bin", conda, CONDA),
        (f"{own}/bin:{conda}/bin", own, VENV),
    ):
        one = found(folder, {"PATH": path})
        assert (one.prefix, one.kind, one.how, one.sure) == (str(prefix), kind, "path", "guess")
        assert one.found_by == "the Python first on PATH"
        assert said(one) == (
            f"{prefix}/bin/python3 is the Python first on PATH; nothing else tells which is meant [PATH]"
        )
        assert isinstance(meant(folder, {"PATH": path}, guess=False), Nowhere)


def test_a_stale_variable_and_the_python_on_path(project: Path) -> None:
    a_python(project / "usr" / "bin")
    one = found(project, {**home(project), "VIRTUAL_ENV": "/gone", "PATH": f"{project}/usr/bin"})
    assert one.prefix == f"{project}/usr"
    assert "stale: VIRTUAL_ENV names /gone" in said(one)


def test_the_python_that_uvx_put_on_path_is_cudafits_own(project: Path) -> None:
    own = a_venv(project / "cache" / "uv" / "archive-v0" / "x")
    a_python(project / "usr" / "bin")
    assert found(project, {**home(project), "PATH": f"{own}/bin:{project}/usr/bin"}).prefix == f"{project}/usr"


def test_pyenvs_shims_are_seen_through(project: Path) -> None:
    root = project.parent / ".pyenv"
    a_python(root / "shims", "python3", b"#!")
    for version in ("3.11.9", "3.12.4", "3.13.1"):
        a_python(root / "versions" / version / "bin", "python")
    environ = {**home(project), "PATH": f"{root}/shims"}
    assert isinstance(meant(project, environ), Nowhere)
    a_file(root / "version", "3.11.9\n")
    assert found(project, environ).prefix == f"{root}/versions/3.11.9"
    a_file(project / ".python-version", "3.12.4\n")
    assert found(project, environ).prefix == f"{root}/versions/3.12.4"
    one = found(project, {**environ, "PYENV_VERSION": "3.13.1:3.12.4"})
    assert (one.prefix, one.found_by) == (f"{root}/versions/3.13.1", "the Python first on PATH, by pyenv")
    assert isinstance(meant(project, {**environ, "PYENV_VERSION": "../../x"}), Nowhere)


def test_another_script_in_pythons_place_is_told_and_no_other_is_guessed(project: Path) -> None:
    shim = a_python(project / "shims", "python3", b"#!/bin/sh\n")
    a_python(project / "usr" / "bin")
    one = meant(project, {**home(project), "PATH": f"{project}/shims:{project}/usr/bin"})
    assert isinstance(one, Nowhere)
    assert one.looked[-1] == f"PATH: {shim} is a script, and files do not tell which Python it starts"
    a_file(project / "lib" / "python3.12" / "os.py")
    (project / "shims").rename(project / "bin")
    assert found(project, {**home(project), "PATH": f"{project}/bin"}).prefix == str(project), "its library is there"


# None.


def test_none_says_what_was_looked_for_and_what_to_type(project: Path) -> None:
    one = meant(project, {**home(project), "PATH": "/nowhere", "VIRTUAL_ENV": "/gone"})
    assert isinstance(one, Nowhere)
    with pytest.raises(UndeterminedError) as raised:
        required(one, "repair", ".venv")
    assert raised.value.exit_code == 3
    assert str(raised.value).splitlines() == [
        "error: no Python environment is active or in this folder",
        "  cause: stale: VIRTUAL_ENV names /gone, which is not there any more",
        "         CONDA_PREFIX: not set",
        f"         {project} and above: no .venv, venv, env, no other folder with pyvenv.cfg or conda-meta, "
        "none of pixi's, poetry's, pipenv's, hatch's or conda's",
        "         PATH: no Python in any of its folders",
        "",
        "hint: name it: `cudafit repair .venv`",
    ]
    assert one.which.how == "none"
    assert one.which.sure == "no"


def test_where_one_may_be_that_is_being_exchanged(project: Path) -> None:
    environ = {"VIRTUAL_ENV": "/gone", "CONDA_PREFIX": "/opt/x"}
    places = list(may_be_meant(FILES, Asked(environ=environ, folder=str(project))))
    assert places[:5] == ["/gone", "/opt/x", f"{project}/.venv", f"{project}/venv", f"{project}/env"]
    base = a_conda(project / "conda")
    environ = {"CONDA_PREFIX": base, "CONDA_DEFAULT_ENV": "base"}
    places = list(may_be_meant(FILES, Asked(environ=environ, folder=str(project))))
    assert (places[0], places[-1]) == (f"{project}/.venv", base)
    own = a_venv(project / ".venv")
    assert list(may_be_meant(FILES, Asked(".venv/bin/python3", folder=str(project)))) == [own]
    assert list(may_be_meant(FILES, Asked("gone", folder=str(project)))) == [f"{project}/gone"]


def test_nothing_is_run(project: Path) -> None:
    mark = project / "ran"
    own = project / ".venv"
    a_venv(own)
    for name in ("python3", "python", "activate"):
        a_python(own / "bin", name, f"#!/bin/sh\ntouch {mark}\n".encode())
    assert found(project, {**home(project), "PATH": f"{own}/bin"}).prefix == str(own)
    assert found(project, path=".venv/bin/python").prefix == str(own)
    assert not mark.exists()
