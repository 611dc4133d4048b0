"""requirements.txt with a hash for each file, as pip and uv install it without being told of any index.

A package of the default index is a pin: pip asks the index that it is configured with. A package of another index is
named by the address of its wheel: so no other index can answer for it, and none has to be named.
"""

from collections.abc import Iterator
from urllib.parse import quote, unquote

from packaging import tags
from packaging.utils import InvalidWheelFilename

from cudafit.errors import CudafitError
from cudafit.lock.header import header
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.uv import Compiled, File, Package
from cudafit.lock.write import one_line
from cudafit.model.versions import numbers
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.secrets import without_login


def requirements_text(order: Order, compiled: Compiled) -> str:
    return header(order) + "".join(entry(package, order) for package in compiled.packages)


def entry(package: Package, order: Order) -> str:
    if package.archive:
        name, files = f"{package.name} @ {package.archive.url}", [package.archive]
    elif package.elsewhere:
        wheel = wheel_of(package, order)
        name, files = f"{package.name} @ {_quoted(wheel.url)}", [wheel]
    else:
        name = f"{package.name}=={package.version}"
        files = [*package.wheels, *([package.sdist] if package.sdist else [])]
    hashes = sorted({one_line(file.sha256) for file in files})
    return one_line(name) + "".join(f" \\\n    --hash=sha256:{sha256}" for sha256 in hashes) + "\n"


def _quoted(url: str) -> str:
    """`torch-2.14.1+cu126` is `%2B` in an address: some servers read a plus as a space."""
    head, slash, name = url.rpartition("/")
    return head + slash + quote(unquote(name), safe="~-_.")


def wheel_of(package: Package, order: Order) -> File:
    """The wheel that an installer on the target would choose."""
    ranks = {tag: number for number, tag in enumerate(_supported(order))}
    best: tuple[int, File] | None = None
    for wheel in package.wheels:
        try:
            own = wheel_parts(wheel.name)[3]
        except (InvalidWheelFilename, ValueError):
            continue
        rank = min((ranks[tag] for tag in own if tag in ranks), default=None)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, wheel)
    if best is None:
        raise CudafitError(f"no wheel of {package.name} {package.version} is for {order.target.platform}")
    return best[1]


def _supported(order: Order) -> Iterator[tags.Tag]:
    python = order.python.rstrip("t")
    version = numbers(python)[:2]
    abi = f"cp{version[0]}{version[1]}"
    abis = [abi + "t"] if order.python.endswith("t") else [abi]
    platforms = list(_platforms(order))
    yield from tags.cpython_tags(version, abis, platforms)
    yield from tags.compatible_tags(version, abi, platforms)


def _platforms(order: Order) -> Iterator[str]:
    target = order.target
    system, _, arch = target.platform.partition("-")
    if system == "windows":
        yield "win_arm64" if arch == "aarch64" else "win_amd64"
    elif system == "macos":
        yield from tags.mac_platforms((26, 0), "arm64" if arch == "aarch64" else arch)
    elif target.libc and target.libc.startswith("musl"):
        for minor in range(numbers(target.libc.partition(" ")[2])[1], -1, -1):
            yield f"musllinux_1_{minor}_{arch}"
    else:
        glibc = numbers(target.libc.partition(" ")[2])[1] if target.libc else 28
        for minor in range(glibc, 4, -1):
            yield f"manylinux_2_{minor}_{arch}"
            if name := {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}.get(minor):
                yield f"{name}_{arch}"
    if system == "linux":
        yield f"linux_{arch}"


def offline_text(order: Order) -> str:
    """Pins without hashes, and the index of each as an option, for when no index can be asked."""
    indexes = {pick.index_name: pick.index for pick in order.picks if pick.index_name.startswith(PYTORCH)}
    lines = [f"--extra-index-url {without_login(order.indexes.of(name, url))}" for name, url in indexes.items()]
    lines += [without_login(line) for line in order.lines]
    lines += [pick.requirement for pick in order.picks]
    lines += [one.requirement for one in order.resolution.constraints]
    lines += [without_login(one.text) for one in order.others if not one.constraint]
    return header(order) + "".join(f"{one_line(line)}\n" for line in lines)
