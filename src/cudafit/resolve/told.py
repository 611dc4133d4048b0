"""Short texts about machines and drivers, for answers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from cudafit.resolve.drivers import Drivers
from cudafit.resolve.host import NO_GPU, Card, Host
from cudafit.resolve.request import Request

_SHOWN = 3


def machine_lines(hosts: Sequence[Host], drivers: Drivers, request: Request) -> tuple[str, ...]:
    """What decided: one line a kind of machine."""
    by_kind: dict[object, list[Host]] = {}
    for host in hosts:
        by_kind.setdefault(host.kind, []).append(host)
    lines = []
    for alike in by_kind.values():
        names = f"{listed([host.label for host in alike])}: " if len(hosts) > 1 else ""
        lines.append(names + _machine(alike[0], drivers, request))
    return tuple(lines)


def _machine(host: Host, drivers: Drivers, request: Request) -> str:
    kind = host.kind
    parts = [host.why or "no GPU" if kind.state == NO_GPU else ", ".join(_cards(host.cards))]
    if kind.driver or kind.cuda:
        limit = drivers.limit_text(kind)
        shown = f"driver {kind.driver}" if kind.driver else "driver not told"
        parts.append(shown + (f" (CUDA {limit})" if limit else ""))
    elif kind.state != NO_GPU:
        parts.append("no driver")
    parts.append(kind.platform + (" (WSL)" if kind.wsl else "") + (" (Jetson)" if kind.tegra else ""))
    if kind.platform.startswith("linux"):
        parts.append(kind.libc or "libc not told")
    if request.cpu and kind.state != NO_GPU:
        parts.append("the CPU was asked for")
    return ", ".join(parts)


def _cards(cards: Sequence[Card]) -> Iterator[str]:
    """`2 x NVIDIA H100, sm_90`."""
    for label, alike in groupby(cards, key=lambda card: card.label):
        count = sum(1 for _ in alike)
        yield f"{count} x {label}" if count > 1 else label


def listed(items: Iterable[str], shown: int = _SHOWN) -> str:
    """`a, b, c and 7 more`."""
    everything = list(items)
    if len(everything) <= shown + 1:
        return ", ".join(everything)
    return f"{', '.join(everything[:shown])} and {len(everything) - shown} more"
