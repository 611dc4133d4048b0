"""Who keeps an environment: layouts of files as each manager leaves them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cudafit.env.around import Around
from cudafit.env.inventory import read_inventory
from cudafit.env.kept_elsewhere import of_hatch, of_pipenv, of_poetry
from cudafit.env.locate import Asked, locate
from cudafit.env.owner import owner_of
from cudafit.files import Files
from cudafit.model.environment import SYSTEM
from cudafit.model.finding import Owner
from cudafit.model.frozen import frozen
from cudafit.model.located import Located

FILES = Files()
SITE = "lib/python3.12/site-packages"
UV, VIRTUALENV, VENV = "uv = 0.9.1\n", "virtualenv = 21.1.0\n", ""
POETRY = '[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\npython = "^3.12"\nTorch = "^2.4"\n'
PEP_621 = '[project]\nname = "p"\nversion = "0"\ndependencies = ["torch>=2.4"]\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "p").mkdir(parents=True)
    return tmp_path / "home"


def filled(prefix: Path, installer: str | None, cfg: str = VIRTUALENV, **files: str) -> Path:
    """A venv with rich by some installer, and pip by pip, as virtualenv leaves it."""
    given = {"pyvenv.cfg": f"home = /usr/bin\nversion = 3.12.4\n{cfg}", "bin/python": "", **files}
    installed = {"pip": "pip", **({"rich": installer} if installer else {})}
    for name, by in installed.items():
        given[f"{SITE}/{name}-14.0.0.dist-info/METADATA"] = f"Name: {name}\nVersion: 14.0.0\n\n"
        given[f"{SITE}/{name}-14.0.0.dist-info/INSTALLER"] = f"{by}\n"
    return laid(prefix, given)


def laid(top: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    return top


def around(home: Path, **environ: str) -> Around:
    return Around(FILES, {"HOME": str(home), **environ}, lambda: ())


def owner(home: Path, env: Path, folder: Path | None = None, **environ: str) -> Owner:
    look = around(home, **environ)
    located = locate(FILES, Asked(path=str(env), environ=look.environ))
    assert isinstance(located, Located)
    found = owner_of(look, read_inventory(FILES, located, {}, ()), str(folder or home / "p"))
    assert found
    return found


@frozen
class Layout:
    """`place` is where the environment lies, in the project or by the manager's own rule."""

    files: Mapping[str, str]
    installer: str | None
    cfg: str
    manager: str | None
    sure: str
    lock: str | None = None
    others: tuple[str, ...] = ()
    place: str = ".venv"


LAYOUTS = {
    "uv": Layout({"pyproject.toml": PEP_621, "uv.lock": ""}, "uv", UV, "uv", "certain", "uv.lock"),
    "uv, nothing installed yet": Layout(
        {"pyproject.toml": PEP_621, "uv.lock": ""}, None, UV, "uv", "certain", "uv.lock"
    ),
    "uv.lock, and filled by pip": Layout(
        {"pyproject.toml": PEP_621, "uv.lock": ""}, "pip", VENV, "uv", "guess", "uv.lock"
    ),
    "uv.lock, and an environment that uv does not use": Layout(
        {"pyproject.toml": PEP_621, "uv.lock": ""}, "uv", UV, "pip", "likely", place="venv"
    ),
    "uv venv alone": Layout({"pyproject.toml": PEP_621}, "uv", UV, "pip", "likely"),
    "poetry in the project": Layout(
        {"pyproject.toml": POETRY, "poetry.lock": ""}, "Poetry 2.1.1", VIRTUALENV, "poetry", "certain", "poetry.lock"
    ),
    "poetry's, and a uv.lock": Layout(
        {"pyproject.toml": POETRY, "poetry.lock": "", "uv.lock": ""},
        "Poetry 2.1.1",
        VIRTUALENV,
        "poetry",
        "likely",
        "poetry.lock",
        ("uv",),
    ),
    "uv's, and a poetry.lock": Layout(
        {"pyproject.toml": POETRY, "poetry.lock": "", "uv.lock": ""}, "uv", UV, "uv", "likely", "uv.lock", ("poetry",)
    ),
    "two locks, and neither has filled it": Layout(
        {"pyproject.toml": POETRY, "poetry.lock": "", "uv.lock": ""}, "pip", VENV, None, "no", None, ("uv", "poetry")
    ),
    "two locks, and it is empty": Layout(
        {"pyproject.toml": PEP_621, "pdm.lock": "", "poetry.lock": ""}, None, VENV, None, "no", None, ("poetry", "pdm")
    ),
    "pdm": Layout({"pyproject.toml": PEP_621, "pdm.lock": ""}, "pdm", VIRTUALENV, "pdm", "certain", "pdm.lock"),
    "pdm, and an empty environment": Layout(
        {"pyproject.toml": PEP_621, "pdm.lock": ""}, None, VIRTUALENV, "pdm", "likely", "pdm.lock"
    ),
    "pipenv in the project": Layout(
        {"Pipfile": '[packages]\ntorch = "*"\n', "Pipfile.lock": "{}"}, "pip", VENV, "pipenv", "likely", "Pipfile.lock"
    ),
    "a table of poetry, and filled by pip": Layout({"pyproject.toml": POETRY}, "pip", VENV, "pip", "likely"),
    "requirements": Layout({"requirements.txt": "torch\n"}, "pip", VENV, "pip", "likely"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_in_the_project(home: Path, name: str) -> None:
    layout = LAYOUTS[name]
    project = laid(home / "p", layout.files)
    found = owner(home, filled(project / layout.place, layout.installer, layout.cfg))
    assert (found.manager, found.sure) == (layout.manager, layout.sure)
    assert found.lock == (str(project / layout.lock) if layout.lock else None)
    assert tuple(one.manager for one in found.others) == layout.others
    assert found.evidence


def test_where_uv_was_told_to_keep_it(home: Path) -> None:
    project = laid(home / "p", {"pyproject.toml": PEP_621, "uv.lock": ""})
    env = filled(home / "elsewhere", "uv", UV)
    assert owner(home, env, UV_PROJECT_ENVIRONMENT="../elsewhere").manager == "uv"
    assert owner(home, env).manager == "pip"
    assert owner(home, filled(project / ".venv", "uv", UV), UV_PROJECT_ENVIRONMENT="../elsewhere").manager == "pip"


def test_what_is_kept_elsewhere(home: Path) -> None:
    """From the project's folder, from one below it, and not from another one."""
    project = laid(home / "p", {"pyproject.toml": POETRY, "poetry.lock": "", "src/x.py": "", "Pipfile": "[packages]\n"})
    folder = home / ".cache/pypoetry/virtualenvs"
    (folder / "stem").mkdir(parents=True)
    look = around(home)
    named = next(of_poetry(look, str(project), {"tool": {"poetry": {"name": "p"}}}), None)
    assert named is None  # nothing was made yet
    stem = _poetry_stem(home)
    poetry = filled(folder / f"{stem}-py3.12", "pip")
    for place in (project, project / "src"):
        found = owner(home, poetry, place)
        assert (found.manager, found.sure, found.project) == ("poetry", "certain", str(project))
    assert owner(home, poetry, home).manager == "pip"
    pipenv = filled(Path(of_pipenv(look, str(project))), "pip", **{".project": f"{project}\n"})
    found = owner(home, pipenv, home)
    assert (found.manager, found.declaration, found.lock) == ("pipenv", f"{project}/Pipfile", None)


def _poetry_stem(home: Path) -> str:
    import base64  # noqa: PLC0415 - as poetry has it
    import hashlib  # noqa: PLC0415

    digest = hashlib.sha256(str((home / "p").resolve()).encode()).digest()
    return f"p-{base64.urlsafe_b64encode(digest).decode()[:8]}"


def test_hatch(home: Path) -> None:
    text = PEP_621 + '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    project = laid(home / "p", {"pyproject.toml": text})
    place = next(of_hatch(around(home), str(project), {"project": {"name": "p"}}))
    found = owner(home, filled(Path(place), "uv"))
    assert (found.manager, found.sure, found.lock) == ("hatch", "certain", None)


def test_pdm_s_own_file_names_it(home: Path) -> None:
    env = filled(home / "venvs/p-1", "uv")
    laid(home / "p", {"pyproject.toml": PEP_621, "pdm.lock": "", ".pdm-python": f"{env}/bin/python"})
    found = owner(home, env)
    assert (found.manager, found.sure, found.lock) == ("pdm", "certain", f"{home}/p/pdm.lock")


def conda(prefix: Path, **files: str) -> Path:
    return laid(prefix, {"conda-meta/python-3.12.4-h1_0.json": "{}", "bin/python": "", **files})


def test_pixi(home: Path) -> None:
    manifest = '[dependencies]\nPytorch = ">=2.4"\n[feature.gpu.pypi-dependencies]\nrich = "*"\n'
    project = laid(home / "p", {"pixi.toml": manifest, "pixi.lock": ""})
    mark = json.dumps({"manifest_path": str(project / "pixi.toml"), "environment_name": "default"})
    elsewhere = conda(home / "cache/envs/p-1/default", **{"conda-meta/pixi": mark})
    for env in (conda(project / ".pixi/envs/default"), elsewhere):
        found = owner(home, env, home)
        assert (found.manager, found.sure) == ("pixi", "certain")
        assert (found.declaration, found.lock) == (f"{project}/pixi.toml", f"{project}/pixi.lock")
        asked = [(one.name, one.place, one.text) for one in found.asks]
        assert asked == [("pytorch", "dependencies", ">=2.4"), ("rich", "feature gpu", "*")]


def test_pixi_in_a_pyproject(home: Path) -> None:
    project = laid(home / "p", {"pyproject.toml": PEP_621 + "[tool.pixi.dependencies]\npytorch = '*'\n", "uv.lock": ""})
    found = owner(home, conda(project / ".pixi/envs/default"))
    assert (found.manager, found.declaration) == ("pixi", f"{project}/pyproject.toml")
    assert [one.name for one in found.asks] == ["pytorch"]


def test_conda(home: Path) -> None:
    laid(home / "p", {"uv.lock": "", "pyproject.toml": PEP_621})
    env = conda(home / "envs/gpu")
    found = owner(home, env)
    assert (found.manager, found.sure, found.declaration, found.lock) == ("conda", "certain", None, None)
    laid(home / "p", {"environment.yml": f"prefix: {env}\n", "conda-lock.yml": ""})
    found = owner(home, env)
    assert (found.declaration, found.lock) == (f"{home}/p/environment.yml", f"{home}/p/conda-lock.yml")


def test_poetry_filled_a_conda_environment(home: Path) -> None:
    laid(home / "p", {"pyproject.toml": POETRY, "poetry.lock": ""})
    env = conda(home / "envs/gpu", **{f"{SITE}/rich-1.0.dist-info/METADATA": "Name: rich\nVersion: 1.0\n\n"})
    laid(env, {f"{SITE}/rich-1.0.dist-info/INSTALLER": "Poetry 2.0.0"})
    found = owner(home, env)
    assert (found.manager, found.sure) == ("conda", "likely")
    assert [one.manager for one in found.others] == ["poetry"]


def test_a_system_s_python_has_none(home: Path) -> None:
    laid(home / "usr", {"bin/python3": ""})
    located = Located(str(home / "usr"), SYSTEM, "named")
    assert owner_of(around(home), read_inventory(FILES, located, {}, ()), str(home)) is None


def test_what_is_declared(home: Path) -> None:
    text = PEP_621 + (
        "[project.optional-dependencies]\ngpu = ['Torch[opt-einsum]==2.4 ; python_version > \"3.9\"']\n"
        "[dependency-groups]\ndev = ['pytest', {include-group = 'x'}]\n[tool.uv]\ndev-dependencies = ['ruff>0.1']\n"
    )
    project = laid(home / "p", {"pyproject.toml": text, "uv.lock": ""})
    found = owner(home, filled(project / ".venv", "uv", UV))
    assert [(one.name, one.place) for one in found.asks] == [
        ("torch", "dependencies"),
        ("torch", "extra gpu"),
        ("pytest", "group dev"),
        ("ruff", "group dev"),
    ]


@pytest.mark.parametrize("text", ["= no toml", "[project]\ndependencies = 3\n", "[tool]\nuv = 1\npoetry = []\n", ""])
def test_a_broken_declaration_names_nothing(home: Path, text: str) -> None:
    project = laid(home / "p", {"pyproject.toml": text, "uv.lock": ""})
    found = owner(home, filled(project / ".venv", "uv", UV))
    assert (found.manager, found.asks) == ("uv", ())
