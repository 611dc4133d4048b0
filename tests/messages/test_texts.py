"""Texts as they come."""

import pytest

from cudafit.messages.conditions import holds
from cudafit.messages.lines import joined_where_wrapped, plain
from cudafit.messages.ranking import filled
from tests.messages import meant

OLD = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[rank0]: \x1b[31mRuntimeError: x\x1b[0m", "RuntimeError: x"),
        ("Jun 10 16:45:05 host python3[107468]: RuntimeError: x", "RuntimeError: x"),
        ("web-1   | RuntimeError:   x", "RuntimeError: x"),
        ("[   87.358035] NVRM: installed in this system", "installed in this system"),
        ("(RayWorker pid=12, ip=10.0.0.1) RuntimeError: x", "RuntimeError: x"),
        ("a &quot;b&quot; &gt; `c`", "a 'b' > 'c'"),
        ("12: x", "x"),
    ],
)
def test_what_stands_around_a_line_is_taken_away(line: str, shown: str) -> None:
    assert plain(line) == shown


def test_what_a_terminal_broke_is_joined() -> None:
    whole = f"RuntimeError: {OLD}"
    lines = [whole[at : at + 70] for at in range(0, len(whole), 70)]
    assert len(lines) == 2
    assert meant("\n".join([*lines, "x" * 69 + "y", "end"])).root == "driver.too_old_for_runtime"
    assert joined_where_wrapped(["a", "b"]) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    found = meant(f"first\r\nRuntimeError: {OLD}\r\n".encode(encoding))
    assert found.root == "driver.too_old_for_runtime"
    assert found.matches[0].lines == (2,)
    assert found.matches[0].says.startswith("the driver runs CUDA 11.4 only")


def test_a_journal_and_a_progress_bar_hold_lines_within_a_line() -> None:
    assert meant("host x[1]: Traceback#012  File x#012RuntimeError: No CUDA GPUs are available").root == "env.cvd_empty"
    assert meant("50%|###  | 1/2\r100%|#####| 2/2\rRuntimeError: No CUDA GPUs are available").root == "env.cvd_empty"


def test_the_first_error_is_the_root_and_others_follow() -> None:
    found = meant(
        "RuntimeError: CUDA error: uncorrectable ECC error encountered\n"
        "[E] NCCL watchdog thread terminated with exception: x\nWARNING Sending process 197 closing signal SIGTERM\n"
    )
    assert found.root == "gpu.ecc_error"
    assert {one.id: one.follows_from for one in found.matches} == {
        "gpu.ecc_error": None,
        "echo.watchdog": "gpu.ecc_error",
        "echo.closing_signal": "gpu.ecc_error",
    }


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("CUDA initialization failure with error: 2. Please check your CUDA installation", "gpu.out_of_memory"),
        ("CUDA initialization failure with error: 35. Please check", "driver.too_old_for_runtime"),
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", None),
        ("nvme 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer", None),
        ("modprobe: ERROR: could not insert 'vboxdrv': Key was rejected by service", None),
        ("DataLoader worker (pid 22358) is killed by signal: Killed.", None),
        ("Error! Bad return status for module build\nConsult /var/lib/dkms/virtualbox/6.1.38/build/make.log", None),
        ("Error! Bad return status for module build\nConsult /var/lib/dkms/nvidia/535.1/make.log", "driver.module"),
        ("OSError: libcublas.so.11: cannot open shared object file: No such file", "ext.cuda_libs_missing"),
        ("import torch\nOSError: libcublas.so.11: cannot open shared object file", "torch.nvidia_dist_missing"),
        ("[h264_nvenc @ 0x5] OpenEncodeSessionEx failed: out of memory (10): (no details)", None),
        ("NVRM: No NVIDIA graphics adapter found!\nNVRM: NVIDIA init module failed!", "gpu.none"),
        ("nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress", "gpu.nvlink_error"),
        ("nvcc fatal   : Unsupported gpu architecture 'compute_60'", "build.nvcc_too_old"),
        ("ggml_cuda_init: failed to initialize CUDA: system not yet initialized", "gpu.fabric_not_ready"),
        ("Device 0: GeForce RTX 3090\nCUDA error: system not yet initialized", "driver.uvm_hmm_bug"),
        ("LinkerError: [218] Call to cuLinkAddData results in CUDA_ERROR_INVALID_PTX", "driver.jit_ptx_too_new"),
        ("[WinError 126] Das angegebene Modul wurde nicht gefunden. Error loading C:\\torch\\lib\\c10.dll", "windows"),
    ],
)
def test_what_one_has_to_take_care_of(text: str, root: str | None) -> None:
    found = meant(text).root
    assert found is None if root is None else found is not None and found.startswith(root)


def test_a_text_without_end_costs_what_it_is_long() -> None:
    error = b"RuntimeError: No CUDA GPUs are available "
    assert meant(b"x" * 3_000_000 + b" " + error + b"y" * 3_000_000).root == "env.cvd_empty"
    found = meant(b"step 1 loss 2\n" * 200_000 + error + b"\n" + b"step 1 loss 2\n" * 100_000, 4096)
    assert found.root == "env.cvd_empty"
    assert found.matches[0].lines == (200_001,)


def test_binary_data_says_nothing() -> None:
    assert meant(bytes(range(256)) * 20_000).matches == ()
    assert meant(b"").matches == ()


def test_conditions() -> None:
    assert holds("arch < supported.first", {"arch": "sm_61", "supported": "sm_75 sm_80"})
    assert not holds("arch < supported.first", {"arch": "sm_61"})
    assert holds("total - free - own > own", {"total": "23.64 GiB", "free": "264.00 MiB", "own": "8.04 GiB"})
    assert holds("soname ~ libcuda.so", {"soname": "libcuda.so.1"})
    assert holds("arch.major == most.major", {"arch": "12.1", "most": "12.0"})
    assert holds("have == none", {"have": "none"})
    assert not holds("have == none", {"have": "2.0.0"})


def test_a_value_that_was_not_captured_is_left_open() -> None:
    assert filled("nvcc does not know {arch}", {}) == "nvcc does not know another"
