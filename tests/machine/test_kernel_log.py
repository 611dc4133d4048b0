"""What the kernel said of the driver; and that a log that may not be read is no log without errors."""

import os
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine import kernel_log
from cudafit.machine.context import Context
from cudafit.machine.kernel_log import read_kernel_log
from tests.machine.trees import image

LINES = """[    0.000000] Linux version 6.5.0-44-generic
[    4.120000] nvidia: loading out-of-tree module taints kernel.
[    4.900000] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15
[  120.000000] usb 1-2: new device
[  900.000000] NVRM: Xid (PCI:0000:01:00): 79, pid=7, GPU has fallen off the bus.
"""


def test_only_the_lines_about_the_driver_are_kept(tmp_path: Path) -> None:
    found = read_kernel_log(image(tmp_path, {"/var/log/dmesg": LINES}))
    assert found
    assert [line.partition("] ")[2][:20] for line in found] == [
        "nvidia: loading out-",
        "NVRM: loading NVIDIA",
        "NVRM: Xid (PCI:0000:",
    ]


def test_when_the_machine_woke_up_is_kept(tmp_path: Path) -> None:
    text = "[1.0] PM: suspend entry (deep)\n[2.0] PM: suspend exit\n[3.0] PM: hibernation: hibernation exit\n"
    assert read_kernel_log(image(tmp_path, {"/var/log/dmesg": text})) == (
        "[2.0] PM: suspend exit",
        "[3.0] PM: hibernation: hibernation exit",
    )


def test_no_log_is_not_known(tmp_path: Path) -> None:
    assert read_kernel_log(image(tmp_path, {"/etc/x": ""})) is None


def test_a_log_that_may_not_be_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "open", refused)
    context = Context("linux", Files(), {})
    assert read_kernel_log(context) is None
    (skipped,) = context.notes.skipped
    assert (skipped.probe, skipped.reason) == ("kernel-log", "/dev/kmsg: Operation not permitted")


def test_records_of_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gives what was written and then, like the device, says that there is no more."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"6,1,100,-;NVRM: loading\n SUBSYSTEM=pci\n")
    monkeypatch.setattr(kernel_log, "_device", lambda: "\n".join(kernel_log._records(reading)))
    assert read_kernel_log(Context("linux", Files(), {})) == ("NVRM: loading",)
    os.close(reading)
    os.close(writing)
