"""`nvidia-smi --query-gpu`, for where NVML cannot be loaded here.

The banner is never read: from driver 610 on it says `KMD Version` and `CUDA UMD Version` where older ones say
`Driver Version` and `CUDA Version`. Query fields are stable; one that this nvidia-smi does not know is left out and the
question put again. The CUDA limit is no query field: `nvidia-smi --version` tells it, in either wording.
"""

import re
from dataclasses import replace

from cudafit.machine.context import Context
from cudafit.machine.nvml import pci_address
from cudafit.model.frozen import frozen
from cudafit.model.machine import Gpu
from cudafit.model.versions import dotted_version
from cudafit.process import Finished, run
from cudafit.system.programs import system_program

PROBE = "nvidia-smi"

FIELDS = (
    "index",
    "name",
    "uuid",
    "pci.bus_id",
    "driver_version",
    "memory.total",
    "memory.used",
    "compute_cap",
    "mig.mode.current",
    "compute_mode",
    "temperature.gpu",
)

# The field of a Gpu that a query field fills, where the two are not called the same.
_GPU_FIELDS = {
    "pci.bus_id": "pci_address",
    "memory.total": "memory_mib",
    "memory.used": "memory_used_mib",
    "compute_cap": "compute_capability",
    "mig.mode.current": "mig",
    "temperature.gpu": "temperature_c",
}

_COMPUTE_MODES = {
    "Default": "default",
    "Exclusive_Thread": "exclusive_thread",
    "Prohibited": "prohibited",
    "Exclusive_Process": "exclusive_process",
}


@frozen
class Answer:
    """What nvidia-smi told; `broken` when it hung."""

    driver: str | None = None
    cuda: str | None = None
    gpus: tuple[Gpu, ...] = ()
    error: str | None = None
    broken: bool = False


def find(context: Context) -> str | None:
    """The system's own; that another one lies on PATH is noted, and it is not run."""
    found = system_program("nvidia-smi", context.environ, windows=context.system == "windows")
    for told in found.refused:
        context.notes.problem(PROBE, told)
    return found.path


def ask(context: Context, program: str) -> Answer:
    fields = list(FIELDS)
    while fields:
        query = [program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
        try:
            finished = run(query, timeout_s=context.silence_s, environ=context.environ)
        except OSError as error:
            return Answer(error=f"{program}: {error.strerror or error}")
        if finished.cut_off:
            return Answer(error=f"{program}: gave no answer for {context.silence_s:g} s", broken=True)
        unknown = unknown_field(finished)
        if unknown not in fields:
            break
        fields.remove(unknown)
    if finished.returncode != 0:
        text = (finished.stdout + finished.stderr).strip().split("\n")[0][:200]
        return Answer(error=f"{program}: {text or 'failed'} (exit code {finished.returncode})")
    rows = [dict(zip(fields, cells, strict=False)) for cells in _cells(finished.stdout)]
    gpus = tuple(gpu_of(row, position) for position, row in enumerate(rows))
    drivers = {version for row in rows if (version := dotted_version(row.get("driver_version")))}
    return Answer(next(iter(drivers), None), _cuda(context, program), gpus)


def unknown_field(finished: Finished) -> str | None:
    match = re.search(r'Field "([^"]+)" is not a valid field', finished.stdout + finished.stderr)
    return match.group(1) if match else None


def _cuda(context: Context, program: str) -> str | None:
    try:
        finished = run([program, "--version"], timeout_s=context.silence_s, environ=context.environ)
    except OSError:
        return None
    return cuda_limit(finished.stdout)


def cuda_limit(text: str) -> str | None:
    """From `nvidia-smi --version`: `CUDA Version : 12.4`, or `CUDA UMD Version : 13.3` in newer drivers."""
    match = re.search(r"^CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)", text, re.M | re.I)
    return match.group(1) if match else None


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()]


def gpu_of(row: dict[str, str], position: int) -> Gpu:
    """One line of the answer; `[N/A]`, `[Not Supported]` and their like are unread, with nvidia-smi's own word."""
    told = {key: value for key, value in row.items() if not value.startswith("[") and value not in ("", "N/A")}
    unread = {
        _GPU_FIELDS.get(key, key): value.strip("[]") or "no value" for key, value in row.items() if key not in told
    }
    mig = told.get("mig.mode.current")
    if row.get("mig.mode.current") in ("[N/A]", "[Not Supported]"):
        mig = "Disabled"
        unread.pop("mig")
    gpu = Gpu(
        index=position if (index := _number(told.get("index"))) is None else index,
        name=told.get("name"),
        uuid=told.get("uuid"),
        compute_capability=told["compute_cap"] if re.fullmatch(r"\d+\.\d+", told.get("compute_cap", "")) else None,
        memory_mib=_number(told.get("memory.total")),
        mig=None if mig is None else mig == "Enabled",
        compute_mode=_COMPUTE_MODES.get(told["compute_mode"], "unknown") if "compute_mode" in told else None,
        visible=True,
        via=PROBE,
    )
    return replace(
        gpu,
        pci_address=pci_address(told.get("pci.bus_id")),
        memory_used_mib=_number(told.get("memory.used")),
        temperature_c=_number(told.get("temperature.gpu")),
        unread=unread,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
