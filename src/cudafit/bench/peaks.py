"""What a GPU can do at most: the row of peak figures that it is judged by. Pure."""

import re

from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import named, spoken
from cudafit.model.gpu_words import words_of
from cudafit.model.machine import Gpu, PcieLink
from cudafit.model.matrix import Facts, GpuModel

# Gigatransfers a second and lane by generation, and the part of them that the line code leaves.
_PCIE = {1: (2.5, 8 / 10), 2: (5, 8 / 10), 3: (8, 128 / 130), 4: (16, 128 / 130), 5: (32, 128 / 130)}
_MEMORY_IS = 0.1  # a memory that is off by more is another one
FIGURES = ("fp32_tflops", "tensor_tflops", "bandwidth_gb_s")


@frozen
class Peaks:
    """The figures by the names that bench.yaml uses, and the row that told them; or why there are none."""

    figures: tuple[tuple[str, float], ...] = ()
    model: str | None = None
    missing: str | None = None
    capability: str | None = None
    bf16: bool = True

    def figure(self, name: str) -> float | None:
        return dict(self.figures).get(name)


def peaks_of(gpu: Gpu, facts: Facts, *, slice_of_mig: bool = False) -> Peaks:
    """By the PCI device, which tells the board too, else by the name that the driver gives.

    Where several rows could be meant, each figure is the lowest of theirs.
    """
    link = link_gb_s(gpu.pcie)
    figures = {"pcie_gb_s": link} if link else {}
    if slice_of_mig:
        return Peaks(tuple(figures.items()), missing="a MIG slice has no peak figures of its own")
    if gpu.name and words_of(gpu.name).share:
        return Peaks(tuple(figures.items()), missing=f"`{gpu.name}` is a share of a GPU, and has no peak figures")
    rows = _rows(gpu, facts)
    if not rows:
        return Peaks(tuple(figures.items()), missing=f"the matrix has no peak figures of `{gpu.name or 'this GPU'}`")
    for name in FIGURES:
        told = [getattr(row, name) for row in rows]
        if None not in told:
            figures[name] = min(float(text) for text in told)
    least = min(rows, key=lambda row: float(row.tensor_tflops or row.fp32_tflops or 0))
    return Peaks(
        tuple(figures.items()), least.name, None, least.compute_capability, all(row.bf16 is not False for row in rows)
    )


def link_gb_s(link: PcieLink | None) -> float | None:
    """One way, at the link's largest generation and width."""
    if link is None or not link.generation_max or not link.width_max or link.generation_max not in _PCIE:
        return None
    transfers, part = _PCIE[link.generation_max]
    return round(transfers * part / 8 * link.width_max, 1)


def _rows(gpu: Gpu, facts: Facts) -> list[GpuModel]:
    names = []
    device = (gpu.pci_device_id or "").rpartition(":")[2]
    names += [spoken(one.name) for one in facts.pci_gpus if device and one.device == device and "[" in one.name]
    names += [gpu.name] if gpu.name else []
    for name in names:
        rows = [row for row in named(name, facts) if isinstance(row, GpuModel) and _has_figures(row)]
        # A desktop card's figures say nothing of the laptop's, which has a fraction of its power.
        words = words_of(name)
        rows = [row for row in rows if words_of(row.name).mobile == words.mobile]
        rows = _by_board(rows, words.board)
        if len(rows) > 1:
            rows = _by_memory(rows, gpu.memory_mib)
        if rows:
            return rows
    return []


def _has_figures(row: GpuModel) -> bool:
    return any(getattr(row, name) is not None for name in FIGURES)


def _by_board(rows: list[GpuModel], told: frozenset[str]) -> list[GpuModel]:
    """Those with as much of what is told as any, and nothing that is not told."""
    fits = [row for row in rows if _other_board(row) <= told]
    most = max((len(_other_board(row)) for row in fits), default=0)
    return [row for row in fits if len(_other_board(row)) == most] or rows


def _other_board(row: GpuModel) -> set[str]:
    """The words of a board that NVIDIA tells where it is another than the usual one: `H100 PCIe`, `H100 NVL`."""
    return {word for word in words_of(row.name).board if not re.match(r"sxm|\d+gb|hbm", word)}


def _by_memory(rows: list[GpuModel], memory_mib: int | None) -> list[GpuModel]:
    """Those whose memory is the nearest to this GPU's; vendors count in gigabytes, and a part is kept for error
    correction."""
    if memory_mib is None:
        return rows
    gigabytes = memory_mib * 1.048576 / 1000
    far = [
        min((abs(gigabytes / float(size) - 1) for size in (row.memory_gb or "").split("/") if size), default=1.0)
        for row in rows
    ]
    if min(far) > _MEMORY_IS:
        return rows
    return [row for row, off in zip(rows, far, strict=True) if off == min(far)]
