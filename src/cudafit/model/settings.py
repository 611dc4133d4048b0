"""What can be set beforehand, and what was."""

from typing import Any, Literal

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.config/1"
SCHEMA_NAME = "config-file-1"  # of the files, for editors
Layer = Literal["environment", "project", "user"]


@frozen
class Key:
    """`many`: a list of texts. `projects`: whether a project may say it. `variable` says it too."""

    name: str
    about: str
    variable: str | None = None
    many: bool = False
    projects: bool = True
    example: str = ""


KEYS = (
    Key(
        "machine",
        "Snapshots of `inspect --save`, or folders of them, that `resolve` answers for.",
        "CUDAFIT_MACHINE",
        many=True,
        example="machines/",
    ),
    Key("driver", "The NVIDIA driver that `resolve` answers for.", "CUDAFIT_DRIVER", example="550.54.15"),
    Key("gpu", "The GPUs that `resolve` answers for.", "CUDAFIT_GPU", many=True, example="RTX 4090"),
    Key("platform", "The platform that `resolve` answers for.", "CUDAFIT_PLATFORM", example="linux-x86_64"),
    Key("cuda", "The CUDA that builds are to be for, in `resolve` and `create`.", "CUDAFIT_CUDA", example="12.6"),
    Key(
        "indexes.pytorch",
        "A mirror in place of the folder that holds PyTorch's indexes.",
        "CUDAFIT_PYTORCH_INDEX",
        projects=False,
        example="https://mirror.example/whl",
    ),
    Key(
        "indexes.conda",
        "A channel in place of conda-forge.",
        "CUDAFIT_CONDA_CHANNEL",
        projects=False,
        example="https://mirror.example/conda-forge",
    ),
    Key("doctor.ignore", "Findings that `doctor` leaves out, as `--ignore`.", many=True, example="perf"),
    Key("lint.ignore", "Findings that `lint` leaves out, as `--ignore`.", many=True, example="code.hf_trainer_cpu"),
)
PLATFORMS = (
    "linux-x86_64",
    "linux-aarch64",
    "windows-x86_64",
    "windows-aarch64",
    "macos-aarch64",
    "macos-x86_64",
)
MACHINE = ("machine", "driver", "gpu", "platform")


@frozen
class Setting:
    """`where` is the variable, or the file and line. `unused` says why it does not count; with `distrusted`, because a
    project may not say it."""

    key: str
    value: str | tuple[str, ...]
    layer: Layer
    where: str
    unused: str | None = None
    distrusted: bool = False


@frozen
class SettingsFile:
    """`unread` says why it is not."""

    path: str
    layer: Layer
    there: bool
    unread: str | None = None


@frozen
class Shown:
    """A key with its value, null where nothing says it; `others` say it too and do not count."""

    key: str
    about: str
    value: str | tuple[str, ...] | None
    layer: Layer | None
    where: str | None
    variable: str | None
    others: tuple[Setting, ...] = ()


@frozen
class Config:
    """What counts, and from where."""

    settings: tuple[Shown, ...]
    files: tuple[SettingsFile, ...]


def files_schema() -> dict[str, Any]:
    """What config.toml and `[tool.cudafit]` may hold, as a JSON Schema for editors. Projects may say less."""
    top: dict[str, Any] = {}
    for key in KEYS:
        table, _, name = key.name.rpartition(".")
        text: dict[str, Any] = {"type": "string", "minLength": 1}
        if key.name == "platform":
            text = {"enum": list(PLATFORMS)}
        about = key.about if key.projects else f"{key.about} Not in a project's pyproject.toml."
        listed = {"anyOf": [text, {"type": "array", "items": text}]}
        place = top
        if table:
            empty = {"type": "object", "additionalProperties": False, "properties": {}}
            place = top.setdefault(table, empty)["properties"]
        place[name] = {"description": about, **(listed if key.many else text), "examples": [key.example]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cudafit's config.toml, and [tool.cudafit] in pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": top,
    }
