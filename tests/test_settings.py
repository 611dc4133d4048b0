"""What is set beforehand: what counts, from where, and what nobody but the user may say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cudafit import shipped
from cudafit.errors import InputError
from cudafit.indexes import configured
from cudafit.model.settings import KEYS, SCHEMA_NAME, files_schema
from cudafit.settings import settings, user_file
from tests.older import tomllib


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": "/none"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


def write_user(own: dict[str, str], text: str) -> Path:
    path = Path(own["HOME"]) / ".config" / "cudafit" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_project(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def values(own: dict[str, str], folder: Path) -> dict[str, Any]:
    found = settings(own, str(folder))
    return {one.key: one.value for one in found.said if one.unused is None}


def test_nothing_is_set(own: dict[str, str], folder: Path) -> None:
    found = settings(own, str(folder))
    assert found.said == ()
    assert [(one.layer, one.there) for one in found.files] == [("project", False), ("user", False)]


def test_a_variable_goes_before_the_project_and_that_before_the_user(own: dict[str, str], folder: Path) -> None:
    write_user(own, 'cuda = "12.4"\n[lint]\nignore = ["code.data_loading"]\n'.replace("data_loading", "hf_trainer_cpu"))
    assert values(own, folder) == {"cuda": "12.4", "lint.ignore": ("code.hf_trainer_cpu",)}
    write_project(folder, '[project]\nname = "a"\n\n[tool.cudafit]\ncuda = "12.6"\n')
    assert values(own, folder)["cuda"] == "12.6"
    found = settings({**own, "CUDAFIT_CUDA": "12.8"}, str(folder))
    said = [(one.value, one.layer, one.unused) for one in found.said if one.key == "cuda"]
    assert said == [
        ("12.8", "environment", None),
        ("12.6", "project", "CUDAFIT_CUDA goes before it"),
        ("12.4", "user", "CUDAFIT_CUDA goes before it"),
    ]


def test_where_it_is_said(own: dict[str, str], folder: Path) -> None:
    path = write_project(
        folder, "# mine\n[tool.cudafit]\n\ngpu = ['H100', 'A100']\n\n[tool.cudafit.doctor]\nignore='perf'\n"
    )
    found = settings(own, str(folder))
    assert [(one.key, one.value, one.where) for one in found.said] == [
        ("gpu", ("H100", "A100"), f"{path}:4"),
        ("doctor.ignore", ("perf",), f"{path}:7"),
    ]


def test_a_machine_is_described_by_one_layer(own: dict[str, str], folder: Path) -> None:
    """The user's driver is not that of the project's machines."""
    write_user(own, 'driver = "580.65.06"\ngpu = "RTX 4090"\n')
    write_project(folder, '[tool.cudafit]\nmachine = "room"\n')
    found = settings(own, str(folder))
    assert [(one.key, one.value) for one in found.machine] == [("machine", ("room",))]
    assert all(one.unused == f"{folder}/pyproject.toml:2 goes before it" for one in found.said if one.layer == "user")


def test_paths_of_the_user_are_below_the_file_or_whole(own: dict[str, str], folder: Path) -> None:
    path = write_user(own, 'machine = ["room", "/srv/a.json"]\n')
    assert values(own, folder) == {"machine": (str(path.parent / "room"), "/srv/a.json")}
    many = os.pathsep.join(("a.json", "b.json"))
    assert values({**own, "CUDAFIT_MACHINE": many}, folder) == {"machine": ("a.json", "b.json")}


@pytest.mark.parametrize(
    "said", ["/etc/passwd", "../a.json", "room/../../a.json", "-", "~/a.json/../../../x", "link/a.json", "."]
)
def test_a_project_names_no_machine_outside_its_folder(said: str, own: dict[str, str], folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent)
    write_project(folder, f'[tool.cudafit]\nmachine = "{said}"\n')
    found = settings(own, str(folder))
    assert found.machine == ()
    assert found.notes == (
        f"{folder}/pyproject.toml:2: `machine` is not used: `{said}` is no file in the project's folder",
    )


def test_a_project_names_machines_of_its_own(own: dict[str, str], folder: Path) -> None:
    (folder / "here").symlink_to("room")
    write_project(folder, '[tool.cudafit]\nmachine = ["room/a.json", "./b.json", "here"]\n')
    assert values(own, folder) == {"machine": ("room/a.json", "./b.json", "here")}


@pytest.mark.parametrize("name", ["pytorch", "conda"])
def test_a_project_does_not_decide_where_packages_come_from(name: str, own: dict[str, str], folder: Path) -> None:
    text = f'[tool.cudafit.indexes]\n{name} = "https://elsewhere.example/whl"\n'
    write_project(folder, text)
    found = settings(own, str(folder))
    assert found.of(f"indexes.{name}") is None
    assert f"`indexes.{name}` is not used: a project does not decide" in found.notes[0]
    assert "elsewhere" not in str(configured(own))
    write_user(own, text.replace("tool.cudafit.", ""))
    assert settings(own, str(folder)).of(f"indexes.{name}") is not None
    assert "elsewhere" in str(configured(own))


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ('drvier = "550"\n', 1, "no key is called `drvier`", "did you mean `driver`?"),
        ('cuda = "12"\nignore = ["x"]\n', 2, "no key is called `ignore`", ".ignore`?"),
        ('[indexes]\npytroch = "x"\n', 2, "no key is called `indexes.pytroch`", "did you mean `indexes.pytorch`?"),
        ("\n[doctr]\nignore = []\n", 2, "no key is called `doctr`", None),
        ("cuda = 12.6\n", 1, "`cuda` is to be a text", None),
        ('cuda = ""\n', 1, "`cuda` is to be a text", None),
        ("gpu = [1]\n", 1, "`gpu` is to be a list of texts", None),
        ("doctor = 3\n", 1, "`doctor` is to be a table", None),
        ('platform = "linux"\n', 1, "no platform is called `linux`", None),
        (
            '[lint]\nignore = ["code.model_on_gpu"]\n',
            2,
            "no finding is called `code.model_on_gpu`",
            "`code.model_on_cpu`",
        ),
        ('[doctor]\nignore = ["torhc"]\n', 2, "no finding is called `torhc`", "did you mean `torch`?"),
        ('[lint]\nignore = ["torch.cpu_wheel"]\n', 2, "no finding is called `torch.cpu_wheel`", None),
    ],
)
@pytest.mark.parametrize("layer", ["user", "project"])
def test_what_cannot_be_meant_is_named_with_its_line(
    layer: str, text: str, line: int, what: str, hint: str | None, own: dict[str, str], folder: Path
) -> None:
    if layer == "user":
        path = write_user(own, text)
    else:
        table, rest = "[tool.cudafit]\n", text.replace("\n[", "\n[tool.cudafit.")
        path = write_project(folder, table + (f"[tool.cudafit.{rest[1:]}" if rest.startswith("[") else rest))
        line += 1
    with pytest.raises(InputError) as error:
        settings(own, str(folder))
    assert f"{path}:{line}`" in error.value.what
    assert what in error.value.what
    if hint:
        assert error.value.hint is not None
        assert hint in error.value.hint


def test_a_broken_file_is_an_error_where_it_is_cudafits(own: dict[str, str], folder: Path) -> None:
    write_project(folder, "[project\n")  # somebody else's trouble
    assert settings(own, str(folder)).said == ()
    write_project(folder, "[tool.cudafit\n")
    with pytest.raises(InputError, match=r"cannot read .*pyproject\.toml"):
        settings(own, str(folder))


@pytest.mark.parametrize("text", ["tool = 3\n# cudafit\n", "[tool]\ncudafit = 3\n", "[project]\nname = 'cudafit'\n"])
def test_a_pyproject_of_another_shape(text: str, own: dict[str, str], folder: Path) -> None:
    write_project(folder, text)
    if "cudafit = 3" in text:
        with pytest.raises(InputError, match="is to be a table"):
            settings(own, str(folder))
    else:
        assert settings(own, str(folder)).said == ()


def test_a_file_of_another_user_is_not_read_and_that_is_said(
    own: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_user(own, '[indexes]\npytorch = "https://elsewhere.example"\n')
    if os.geteuid() == 0:
        os.chown(path, 4711, -1)
    else:
        monkeypatch.setattr("cudafit.settings.posix.geteuid", lambda: 4711)
    found = settings(own, str(folder))
    assert found.said == ()
    assert found.notes == (f"{path} is not read: it belongs to another user",)
    assert configured(own).pytorch is None


def test_a_file_that_everybody_may_write_to_is_not_read(own: dict[str, str], folder: Path) -> None:
    path = write_user(own, 'cuda = "12"\n')
    path.chmod(0o666)
    assert settings(own, str(folder)).notes == (f"{path} is not read: everybody may write to it",)
    path.chmod(0o664)
    assert values(own, folder) == {"cuda": "12"}


def test_a_pyproject_that_cannot_be_read_is_said(own: dict[str, str], folder: Path) -> None:
    os.mkfifo(folder / "pyproject.toml")
    assert settings(own, str(folder)).notes == (f"{folder}/pyproject.toml is not read: it is not a regular file",)


def test_all_files_can_be_left_aside(own: dict[str, str], folder: Path) -> None:
    write_user(own, "drvier = 3\n")
    write_project(folder, "[tool.cudafit\n")
    assert settings({**own, "CUDAFIT_NO_CONFIG": "1"}, str(folder)).said == ()
    assert configured({**own, "CUDAFIT_NO_CONFIG": "1"}).pytorch is None


@pytest.mark.parametrize(
    ("system", "environ", "there", "path"),
    [
        ("linux", {}, (), "/h/.config/cudafit/config.toml"),
        ("linux", {"XDG_CONFIG_HOME": "/x"}, (), "/x/cudafit/config.toml"),
        ("darwin", {}, (), "/h/.config/cudafit/config.toml"),
        ("darwin", {}, ("/h/Library/Application Support/cudafit/config.toml",), None),
        ("win32", {"APPDATA": "/a"}, (), "/a/cudafit/config.toml"),
        ("win32", {"APPDATA": "/a"}, ("/h/.config/cudafit/config.toml",), None),
    ],
)
def test_the_places_of_each_system(
    system: str, environ: dict[str, str], there: tuple[str, ...], path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cudafit.settings.sys.platform", system)
    monkeypatch.setattr("cudafit.settings.os.path.lexists", lambda one: one in there)
    assert user_file({"HOME": "/h", **environ}) == (path or there[0])


def test_the_schema_for_editors_is_that_of_the_keys(own: dict[str, str], folder: Path) -> None:
    published = json.loads(shipped.schema_text(SCHEMA_NAME))
    assert published == files_schema(), "run `make schemas`"
    Draft202012Validator.check_schema(published)
    validator = Draft202012Validator(published)
    lines = [f"{key.name} = {json.dumps([key.example] if key.many else key.example)}" for key in KEYS]
    text = "\n".join(lines) + "\n"
    validator.validate(tomllib.loads(text))
    assert not validator.is_valid({"drvier": "550"})
    assert not validator.is_valid({"doctor": {"select": ["torch"]}})
    assert not validator.is_valid({"platform": "linux"})
    write_user(own, text)  # and each example is taken
    assert {one.key for one in settings(own, str(folder)).said} == {key.name for key in KEYS}
