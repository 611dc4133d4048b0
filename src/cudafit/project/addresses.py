"""Requirements that are an address: a wheel's file, a repository, a folder of code."""

import os
import re
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename

from cudafit.errors import InputError
from cudafit.model.declaration import Local
from cudafit.model.requirement import Wanted, normalised, wanted
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.reading import is_possible

_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)(?:\[([^\]]*)\])?")
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_EXTRAS = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]")
# Repositories that are not called as their packages are, by their own setup.py and pyproject.toml.
_REPOSITORIES = {
    "pytorch/pytorch": "torch",
    "pytorch/vision": "torchvision",
    "pytorch/audio": "torchaudio",
    "dao-ailab/flash-attention": "flash-attn",
    "openai/whisper": "openai-whisper",
}


def by_address(line: str, origin: str) -> Wanted | None:
    """`git+https://…/peft.git`, `https://…/torch-2.1.0-….whl ; marker`: the requirement under the name that its address
    tells. None for what tells none."""
    address, _, marker = (part.strip() for part in re.sub(r"\s;|;\s", " ; ", line).partition(" ; "))
    name = address_name(address)
    if name is None:
        return None
    try:
        return wanted(f"{name} @ {address}" + (f" ; {marker}" if marker else ""), origin)
    except InputError:
        return None


def address_name(address: str) -> str | None:
    if match := _EGG.search(address):
        return f"{match[1]}[{match[2]}]" if match[2] else match[1]
    try:
        path = unquote(urlsplit(address).path).rstrip("/")
    except ValueError:
        return None
    file = os.path.basename(path)
    if file.endswith(".whl"):
        try:
            return str(wheel_parts(file)[0])
        except InvalidWheelFilename:
            return None
    if not re.match(r"(git|hg|svn|bzr)\+", address):
        return None
    path = re.sub(r"(\.git)?(@[^@/]*(/[^@]*)?)?$", "", path)
    repository = "/".join(path.strip("/").lower().split("/")[-2:])
    name = _REPOSITORIES.get(repository) or os.path.basename(path)
    return normalised(name) if _NAME.fullmatch(name) else None


def local_code(line: str, folder: str, origin: str) -> Local | None:
    """`-e .`, `./pkg[extra]`: the folder, where there is one, and its extras. pip takes it from where it is started;
    beside the file that says so it mostly is as well."""
    told = re.sub(r"^(-e|--editable)[\s=]*", "", line).strip().strip("\"'")
    told = told.partition(" ;")[0].strip().removeprefix("file://")
    if "://" in told or re.match(r"(git|hg|svn|bzr)\+", told):
        return None
    match = _EXTRAS.fullmatch(told)
    path, extras = (match[1], match[2]) if match else (told, "")
    if not is_possible(path) or not path:
        return None
    for one in (path, os.path.join(folder, path)):
        if os.path.isdir(one):
            return Local(os.path.normpath(one), tuple(filter(None, map(str.strip, extras.split(",")))), origin, line)
    return None
