"""The comment that each file begins with: who wrote it, from what, for which machine, and how to write it again."""

from cudafit.lock.order import Order
from cudafit.system.commands import joined
from cudafit.system.secrets import redacted
from cudafit.system.text import harmless

MARK = "Written by cudafit"


def header(order: Order, *, comment: str = "#") -> str:
    """Lines of comment, with the line break."""
    resolution = order.resolution
    lines = [
        f"{MARK} {order.cudafit}, matrix {resolution.matrix.version}. Edit the request, not this file:",
        f"  {joined(order.command)}",
        *(f"machine: {line}" for line in resolution.machines[:_SHOWN]),
    ]
    if len(resolution.machines) > _SHOWN:
        lines.append(f"machine: and {len(resolution.machines) - _SHOWN} more kinds")
    for target in resolution.targets:
        cuda = f"CUDA up to {target.cuda}" if target.cuda else "no CUDA"
        if target.cuda_arch:
            cuda += f", GPUs from sm_{target.cuda_arch.replace('.', '')}"
        lines.append(f"for: {target.platform}, {target.libc or 'libc not told'}, {cuda}, Python {resolution.python}")
    lines += [f"warning: {text}" for text in resolution.warnings]
    if order.offline:
        lines.append("written without network: no hashes, and only what the matrix knows is pinned")
    # A name of a machine comes from a file: it must not end the comment.
    return "".join(f"{comment} {harmless(redacted(line))}".rstrip() + "\n" for line in lines)


_SHOWN = 8


def is_ours(text: str) -> bool:
    """Whether cudafit wrote a file, by its first lines."""
    return any(MARK in line for line in text.splitlines()[:2])
