"""Container files: an image that installs the lock written beside it, and what gives it the GPUs."""

import json
import os
import re
from string import Template

import yaml

from cudafit import shipped
from cudafit.errors import InputError
from cudafit.lock.formats.format import Format
from cudafit.lock.header import header
from cudafit.lock.order import Order
from cudafit.model.fit import CPU
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.versions import numbers
from cudafit.system.reading import read_text
from cudafit.system.text import is_plain

# Packages whose wheels look for the CUDA libraries of the system, unless an extra brings them.
_SYSTEM_CUDA = frozenset(name for one in FRAMEWORKS if one.system_cuda for name in one.builds)
_IMAGE_PYTHON = re.compile(r"3\.\d+(\.\d+)?")


def dockerfile_text(order: Order, path: str, lock: str, form: Format) -> str:
    """Raises InputError where the lock lies outside the folder that an image is built from."""
    copied = _beside(path, lock)
    name = os.path.basename(copied)
    devices = "void" if order.resolution.status == CPU else "all"
    how = form.in_image
    if how and how.line:
        if not _IMAGE_PYTHON.fullmatch(order.python):
            raise InputError(f"there is no Python image for {order.python}", hint="ask for another with `--python`")
        base, template = _base(order)
        values = {"base": base, "python": order.python, "install": how.line(f"/opt/lock/{name}")}
    else:
        template = "Dockerfile.conda"
        values = {"file": json.dumps(f"/tmp/lock/{name}"), "override": _override(order) if how and how.solved else ""}  # noqa: S108
    text = Template(_template(template)).substitute(values, lock=json.dumps(copied), devices=devices)
    return header(order) + "\n" + text


def compose_text(order: Order, dockerfile: str, path: str) -> str:
    service: dict[str, object] = {
        "build": {"context": ".", "dockerfile": _beside(path, dockerfile)},
        "volumes": [".:/app"],
        # Workers that load data hand it over in shared memory, of which a container has 64 MB.
        "shm_size": "8gb",
    }
    if order.resolution.status != CPU:
        device = {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    text: str = yaml.safe_dump({"services": {"train": service}}, sort_keys=False)
    return header(order) + text


def devcontainer_text(order: Order, dockerfile: str, path: str) -> str:
    """JSON with comments, as the specification of dev containers reads it."""
    relative = os.path.relpath(os.path.abspath(dockerfile), os.path.dirname(os.path.abspath(path)))
    value: dict[str, object] = {
        "name": order.name,
        "build": {"dockerfile": relative, "context": os.path.dirname(relative) or "."},
        "remoteUser": "mambauser" if any(pick.index_name == "conda-forge" for pick in order.picks) else "app",
    }
    if order.resolution.status != CPU:
        value["runArgs"] = ["--gpus", "all", "--shm-size", "8g"]
        value["hostRequirements"] = {"gpu": True}
    return header(order, comment="//") + json.dumps(value, indent=2) + "\n"


def _base(order: Order) -> tuple[str, str]:
    """A slim image where the wheels bring CUDA; NVIDIA's where they do not."""
    bare = [
        pick for pick in order.picks if pick.name in _SYSTEM_CUDA and pick.compat != CPU and "[" not in pick.requirement
    ]
    if not bare:
        return f"python:{order.python}-slim", "Dockerfile.pip"
    version = _toolkit(order, bare[0].cuda or bare[0].variant.removeprefix("cu")[:2])
    return f"nvidia/cuda:{version}-cudnn-runtime-ubuntu22.04", "Dockerfile.cuda"


def _toolkit(order: Order, cuda: str) -> str:
    """The newest release of the builds' CUDA (`12.6`, or `12` for all of 12) that the driver knows."""
    wanted, limit = numbers(cuda)[:2], numbers(order.target.cuda or "99")[:2]
    same = [one for one in order.toolkits if numbers(one)[: len(wanted)] == wanted]
    known = [one for one in same if numbers(one)[:2] <= limit] or same
    if not known:
        raise InputError(f"no release of CUDA {cuda} is known, so no base image can be named")
    return max(known, key=numbers)


def _override(order: Order) -> str:
    """While an image is built there is no driver: a solver must be told which one the image is for."""
    if not order.target.cuda:
        return ""
    return f"# No driver can be seen while the image is built.\nENV CONDA_OVERRIDE_CUDA={order.target.cuda}\n"


def _beside(path: str, other: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    relative = os.path.relpath(os.path.abspath(other), folder)
    if relative.startswith("..") or not is_plain(relative) or re.search(r"[\"\\$`]", relative):
        raise InputError(
            f"`{path}` cannot copy `{other}`: an image is built from the folder of its Dockerfile",
            hint="write both into one folder, with plain names",
        )
    return relative


def _template(name: str) -> str:
    return read_text(os.path.join(shipped.folder("templates"), name), 1 << 20)
