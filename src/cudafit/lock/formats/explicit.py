"""conda's explicit list: the address of every package with its hash, for `conda create --file`."""

from typing import TYPE_CHECKING

from cudafit.errors import CudafitError
from cudafit.lock.conda_names import package_of_file
from cudafit.lock.formats.format import CONDA, Contents, Format, InImage, Written
from cudafit.lock.header import header
from cudafit.lock.integrity import Integrity, conda_file
from cudafit.lock.order import Order
from cudafit.lock.write import one_line
from cudafit.system.secrets import without_login

if TYPE_CHECKING:
    from cudafit.lock.conda_solve import Solved
    from cudafit.lock.workshop import Workshop

_MARK = "@EXPLICIT"


def write(workshop: "Workshop", path: str) -> Written:
    order = workshop.order(CONDA)
    (only,) = [one for one in workshop.solved(path) if one.target == order.target]
    return Written(explicit_text(order, only), len(only.records))


def explicit_text(order: Order, solved: "Solved") -> str:
    lines = [header(order), f"# platform: {solved.platform}\n", f"{_MARK}\n"]
    for record in solved.records:
        if not record.sha256 and not record.md5:
            raise CudafitError(f"the channel gives no hash for `{record.file_name}`, so it cannot be locked")
        url = without_login(record.url)
        lines.append(one_line(f"{url}#{'sha256:' + record.sha256 if record.sha256 else record.md5}") + "\n")
    return "".join(lines)


def read(text: str) -> Contents:
    lines = text.splitlines()
    if _MARK not in lines:
        raise ValueError(f"there is no line `{_MARK}`")
    versions: dict[str, str] = {}
    files = []
    for line in lines[lines.index(_MARK) + 1 :]:
        if line.strip() and not line.startswith("#"):
            url, _, told = line.strip().partition("#")
            package, version = package_of_file(url)
            versions[package] = version
            files.append(conda_file(url, "", {"md5" if len(told) == 32 else "sha256": told.removeprefix("sha256:")}))
    return Contents(versions, Integrity(tuple(files)))


FORMAT = Format(
    name="explicit",
    kind=CONDA,
    pattern=r".*explicit.*\.txt",
    example="explicit.txt",
    files="`explicit*.txt`",
    help="conda's explicit list, with sha256",
    tools="`conda create --file`",
    complete=True,
    edits=False,
    named_indexes=False,
    in_image=InImage(3),
    write=write,
    read=read,
)
