"""Options of the loaded NVIDIA modules that decide whether CUDA starts."""

import re

from cudafit.machine.context import Context

PROBE = "module-options"
PARAMETERS = "/proc/driver/nvidia/params"
UVM_PARAMETERS = "/sys/module/nvidia_uvm/parameters"
# Whether memory survives a suspend, and who saves it: the driver's README, "Configuring Power Management Support".
# And whether NVLink is in use. The names are those of nv-reg.h (NVIDIA/open-gpu-kernel-modules).
_SLEEP = ("PreserveVideoMemoryAllocations", "UseKernelSuspendNotifiers", "EnableS0ixPowerManagement")
_NAMES = (*_SLEEP, "NvLinkDisable")
_UVM_NAMES = ("uvm_disable_hmm",)


def read_module_options(context: Context) -> dict[str, str] | None:
    """None where no module shows any."""
    found: dict[str, str] = {}
    text = context.read(PROBE, PARAMETERS) or ""
    for name, value in re.findall(r"^(\w+): (.{1,80})$", text, re.M):
        if name in _NAMES:
            found[name] = value.strip()
    for name in _UVM_NAMES:
        value = context.head(PROBE, f"{UVM_PARAMETERS}/{name}", 64)
        if value is not None:
            found[name] = value.strip()
    return found or None
