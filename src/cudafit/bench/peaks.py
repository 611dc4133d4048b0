"""What a GPU can do at most: the row of peak figures that it is judged by. Pure."""

import re

from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import named, spoken
from cudafit.model.machine import Gpu, PcieLink
from cudafit.model.matrix import Facts, GpuModel

# Gigatransfers a second and lane by generation, and the part of them that the line code leaves.
_PCIE = {1: (2.5, 8 / 10), 2: (5, 8 / 10), 3: (8, 128 / 130), 4: (16, 128 / 130), 5: (32, 128 / 130)}
_MOBILE = re.compile(r"\b(laptop|mobile|max-q)\b", re.IGNORECASE)


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
    """By the PCI device, which tells the board too, else by the name that the driver gives."""
    link = link_gb_s(gpu.pcie)
    figures = {"pcie_gb_s": link} if link else {}
    if slice_of_mig:
        return Peaks(tuple(figures.items()), missing="a MIG slice has no peak figures of its own")
    row = _row(gpu, facts)
    if row is None:
        return Peaks(tuple(figures.items()), missing=f"the matrix has no peak figures of `{gpu.name or 'this GPU'}`")
    for name in ("fp32_tflops", "tensor_tflops", "bandwidth_gb_s"):
        if (text := getattr(row, name)) is not None:
            figures[name] = float(text)
    return Peaks(tuple(figures.items()), row.name, None, row.compute_capability, row.bf16 is not False)


def link_gb_s(link: PcieLink | None) -> float | None:
    """One way, at the link's largest generation and width."""
    if link is None or not link.generation_max or not link.width_max or link.generation_max not in _PCIE:
        return None
    transfers, part = _PCIE[link.generation_max]
    return round(transfers * part / 8 * link.width_max, 1)


def _row(gpu: Gpu, facts: Facts) -> GpuModel | None:
    names = []
    device = (gpu.pci_device_id or "").rpartition(":")[2]
    names += [spoken(one.name) for one in facts.pci_gpus if device and one.device == device and "[" in one.name]
    names += [gpu.name] if gpu.name else []
    for name in names:
        if _MOBILE.search(name):
            return None  # the chip of a desktop card with a fraction of its power
        rows = [row for row in named(name, facts) if isinstance(row, GpuModel) and not _MOBILE.search(row.name)]
        if len(rows) > 1:
            rows = _by_memory(rows, gpu.memory_mib)
        if rows:
            return min(rows, key=lambda row: float(row.tensor_tflops or row.fp32_tflops or 0))
    return None


def _by_memory(rows: list[GpuModel], memory_mib: int | None) -> list[GpuModel]:
    """Those whose memory is this GPU's; vendors count in gigabytes, and a part is kept for error correction."""
    if memory_mib is None:
        return rows
    gigabytes = memory_mib * 1.048576 / 1000
    fitting = [
        row
        for row in rows
        if any(0.9 <= gigabytes / float(size) <= 1.1 for size in (row.memory_gb or "").split("/") if size)
    ]
    return fitting or rows
