"""conda's explicit list: the address of every package with its hash, for `conda create --file`."""

from cudafit.errors import CudafitError
from cudafit.lock.conda_solve import Solved
from cudafit.lock.header import header
from cudafit.lock.order import Order
from cudafit.lock.write import one_line
from cudafit.system.secrets import without_login


def explicit_text(order: Order, solved: Solved) -> str:
    lines = [header(order), f"# platform: {solved.platform}\n", "@EXPLICIT\n"]
    for record in solved.records:
        if not record.sha256 and not record.md5:
            raise CudafitError(f"the channel gives no hash for `{record.file_name}`, so it cannot be locked")
        url = without_login(record.url)
        lines.append(one_line(f"{url}#{'sha256:' + record.sha256 if record.sha256 else record.md5}") + "\n")
    return "".join(lines)
