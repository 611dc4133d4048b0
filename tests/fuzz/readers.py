"""What the table of parsers calls where a parser is not a function of a text alone."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from requests.adapters import BaseAdapter

from cudafit import indexes
from cudafit.bench.payload import _Heard
from cudafit.env import conda_meta, conda_places, in_use, jupyter_servers, kernels
from cudafit.env.deep import _ran, _told
from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.errors import CudafitError
from cudafit.files import Files
from cudafit.lock.formats import format_of
from cudafit.lock.held import read_lock
from cudafit.lock.pyproject_toml import pyproject_text
from cudafit.machine import context, nvidia_smi, nvml, processes, snapshot
from cudafit.machine.libraries import system_folders
from cudafit.machine.question import Answer
from cudafit.matrix.folder import read_folder
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.index import wheels
from cudafit.matrix.harvest.readers import READERS
from cudafit.matrix.harvest.remote import RemoteWheel
from cudafit.matrix.load import open_matrix
from cudafit.model import elf, gpu_names, gpu_words, requirement, versions
from cudafit.model.fatbin import fatbin_kernels
from cudafit.model.kernel_list import kernel_list
from cudafit.model.machine import Gpu
from cudafit.model.visible_devices import visible_devices
from cudafit.process import Finished
from cudafit.project.shell import commands
from cudafit.repair import generations, journal, manifest
from cudafit.repair.lock import _read as read_holder
from cudafit.repair.state import state_of
from cudafit.system import secrets
from cudafit.watch import program
from tests.lock.test_pyproject_toml import CU126, order

FACTS = open_matrix(environ={"HOME": "/nonexistent"}).facts("gpus", "pci_gpus")
GPUS = tuple(Gpu(number, "NVIDIA H100", f"GPU-{number}", "9.0", 80000, False, None, True) for number in range(3))


def requirement_line(text: str) -> object:
    return requirement.applies(requirement.wanted(text), "linux-x86_64", "3.12.4")


def version(text: str) -> object:
    told = versions.dotted_version(text)
    return versions.natural_key(text), versions.numbers(told) if told else None


def gpu_name(text: str) -> object:
    gpu_words.words_of.cache_clear()
    return gpu_names.capability_by_name(text, FACTS), gpu_names.spoken(text), gpu_names.closest(text[:300], FACTS)


def devices(text: str) -> object:
    return visible_devices(GPUS, {"CUDA_VISIBLE_DEVICES": text, "NVIDIA_VISIBLE_DEVICES": text})


def elf_file(data: bytes) -> object:
    import re  # noqa: PLC0415

    return (
        elf.read_elf(data),
        elf.undefined_symbols(data, re.compile(rb"_ZNK?(3c10|2at)")),
        elf.defines(data, ["_ZN2at4fooEv", "x"]),
        fatbin_kernels(data),
        kernel_list(data),
    )


def shell(text: str) -> object:
    return list(commands(text))


def words(text: str) -> object:
    split = text.split("\0")
    return program.code_of(split), program.asks_elsewhere(split), secrets.redacted_words(split)


def secret_text(text: str) -> object:
    return (
        secrets.redacted(text),
        secrets.without_login(text),
        secrets.with_logins(text, "https://user:word@example.org"),
        secrets.host_of(text),
        secrets.without_query(text),
        secrets.without_known(text, "word", text[:20]),
    )


def secret_tree(text: str) -> object:
    return secrets.redacted_tree(json.loads(text))


# Machines.


def nvidia_smi_text(text: str) -> object:
    """What it says when it is asked for all fields, and for its version."""
    with patch.object(nvidia_smi, "run", lambda *_, **__: Finished(0, text, text)):
        return nvidia_smi.ask(context.Context("linux", Files("/nonexistent"), {}), "nvidia-smi")


def nvml_lines(text: str) -> object:
    return nvml.interpret(Answer(tuple(text.split("\n"))))


def machine(root: Path) -> object:
    return snapshot.take(context.other_root(str(root)))


def process(name: str) -> Callable[[bytes, Path], object]:
    """A file of /proc/17, where the real one is read."""

    def read(data: bytes, _: Path) -> object:
        def opened(path: str, mode: str = "r", **options: Any) -> Any:
            given = data if path.endswith(f"/{name}") else b""
            return io.BytesIO(given) if "b" in mode else io.TextIOWrapper(io.BytesIO(given), **options)

        with patch.object(processes, "open", opened, create=True):
            return processes.read_process(17), processes.read_command(17), processes.mapped_libraries(17)

    return read


# Environments.


def environment(root: Path, path: str = "/env") -> object:
    files = Files(str(root))
    located = at(files, path, "named")
    if located is None:
        return None
    environ = {"HOME": "/root", "PYTHONPATH": "/env/extra"}
    folders = system_folders(context.other_root(str(root)))
    return read_inventory(files, located, environ, folders)


def conda(root: Path) -> object:
    files = Files(str(root))
    meta = conda_meta.read_meta(files, "/conda")
    damage = list(conda_meta.damage(str(root / "conda"), meta.records, hashes=True))
    asked, pinned = conda_meta.asked_for(files, "/conda"), conda_meta.pinned(files, "/conda")
    environ = {"HOME": "/root"}
    places = conda_places.env_folders(files, (), environ), conda_places.listed(files, environ)
    return meta, damage, asked, pinned, places, environment(root, "/conda")


def around(root: Path) -> object:
    files = Files(str(root))
    user = (root / "proc/17").stat().st_uid
    found = kernels.read_kernels(files, {"HOME": "/root"}, "/env")
    programs = [kernels.interpreter_of(one, "/env") for one in found]
    return found, programs, jupyter_servers.newest_server(files, user), list(in_use.processes_using("/env", files, 1))


# Locks and projects.


def lock(path: str) -> object:
    return read_lock(path, format_of(path))


def lock_as(form: str) -> Callable[[str], object]:
    return lambda path: read_lock(path, format_of(path, form))


def edited_pyproject(text: str) -> object:
    return pyproject_text(order(CU126), text, "pyproject.toml")


def configured(home: str) -> object:
    return indexes.configured({"HOME": home})


# What is kept.


def state(read: Callable[[Any], object]) -> Callable[[str], object]:
    """Of the folder beside an environment, which is `.state.cudafit` of `.state`."""
    return lambda place: read(state_of(f"{place}/.state"))


def generation(found: Any) -> object:
    return generations.read_record(found, "1"), generations.whole(found)


def held_lock(path: str) -> object:
    with open(path, "rb") as file:
        return read_holder(file.fileno())


def read_journal(found: Any) -> object:
    return journal.read(found)


def read_manifest(folder: str) -> object:
    return manifest.read_manifest(folder, "")


# What programs that cudafit starts print; their libraries print too.


def payload(text: str) -> object:
    heard = _Heard("mark", lambda _pid, _held: None)
    for line in text.split("\n"):
        heard.line(f"mark {line}")
    return heard.run("torch", _Ended(), 1.0)  # type: ignore[arg-type]


class _Ended:
    silent, returncode = False, 1


def probe(text: str) -> object:
    return [_ran("torch", told) for told in _told("".join(f"cudafit-probe {line}\n" for line in text.split("\n")))]


# Matrices and indexes.


def matrix_folder(place: str) -> object:
    return read_folder(place)


class Served(BaseAdapter):
    """A server that answers everything with the same bytes, in parts where parts are asked for."""

    def __init__(self, data: bytes, kind: str) -> None:
        super().__init__()
        self.data, self.kind = data, kind

    def send(self, request: requests.PreparedRequest, *_more: Any, **_named: Any) -> requests.Response:
        response = requests.Response()
        part = self.data
        response.status_code, response.url = 200, str(request.url)
        response.request = request
        response.headers["Content-Type"] = self.kind
        if told := request.headers.get("Range"):
            first, _, last = str(told).removeprefix("bytes=").partition("-")
            start = int(first) if first else max(0, len(self.data) - int(last))
            end = int(last) + 1 if first and last else len(self.data)
            part = self.data[start:end]
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(self.data)}"
        response.headers["Content-Length"] = str(len(part))
        response.raw = io.BytesIO(part)
        return response

    def close(self) -> None:
        pass


def session(data: bytes, kind: str) -> requests.Session:
    made = requests.Session()
    made.mount("https://", Served(data, kind))
    return made


JSON_PAGE, HTML_PAGE = "application/vnd.pypi.simple.v1+json", "text/html"


def page(kind: str) -> Callable[[bytes, Path], object]:
    return lambda data, _: wheels("torch", "https://example.org/simple/", session(data, kind))


def torch_page() -> bytes:
    files = [
        {"filename": name, "url": f"../../{name}", "hashes": {"sha256": "0" * 64}, "yanked": False}
        for name in ("torch-2.6.0-cp312-cp312-manylinux_2_28_x86_64.whl", "torch-2.6.0+cu126-cp39-abi3-win_amd64.whl")
    ]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "torch", "versions": [], "files": files}).encode()


def wheel_parts(package: str) -> Callable[[bytes, Path], object]:
    """The reader of a package on a wheel of these bytes."""
    name = f"{package.replace('-', '_')}-2.6.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    listed = {"filename": name, "url": f"https://example.org/{name}", "hashes": {}}
    value = {"meta": {"api-version": "1.1"}, "name": package, "versions": [], "files": [listed]}
    (file,) = wheels(package, "https://example.org/simple/", session(json.dumps(value).encode(), JSON_PAGE))

    def read(data: bytes, _: Path) -> object:
        with RemoteWheel(file, session(data, "application/zip")) as found:
            return READERS[package](found)

    return read


HARVEST = (HarvestError, CudafitError)
