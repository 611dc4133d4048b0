"""Probes: each reads one layer of a machine. What fails is recorded in the snapshot, never fatal.

Order of trust for the GPUs and the driver (the first that answers is used, and named in `via`):

1. NVML, asked in a process of its own (`nvml`, `nvml_child`);
2. `nvidia-smi --query-gpu` (`nvidia_smi`), where NVML could not be loaded or broke;
3. the kernel's own files: `/proc/driver/nvidia`, `/sys/module/nvidia` (`kernel_driver`), the PCI bus (`pci`).
"""
