"""The script over a folder of logs, and texts like those that were run: nothing is named in them."""

from pathlib import Path

import pytest

from tests.messages import meant, wild

# Made in the shape of what package managers, kernels, servers, test suites and training write.
ORDINARY = (
    "2026-01-02 10:11:12 status installed libc6:amd64 2.36-9+deb12u10\n"
    "2026-01-02 10:11:12 trigproc man-db:amd64 2.11.2-2 <none>\nSetting up python3-minimal (3.11.2-1) ...\n",
    "Collecting requests\n  Downloading requests-2.32.5-py3-none-any.whl.metadata (4.9 kB)\n"
    "Installing collected packages: requests\nSuccessfully installed requests-2.32.5\n",
    "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh\n"
    "Jun 15 04:06:18 combo su(pam_unix)[21416]: session opened for user cyrus by (uid=0)\n",
    "[    0.000000] Linux version 6.1.0-18-amd64\n[    1.204411] usb 1-1: device descriptor read/64, error -71\n"
    "[    2.100002] EXT4-fs (sda1): mounted filesystem with ordered data mode\n",
    "test_exact (test.test_enum.TestFlag) ... ok\nTraceback (most recent call last):\n"
    '  File "x.py", line 3, in f\n    return 1 / 0\nZeroDivisionError: division by zero\nFAILED (errors=1)\n',
    "Epoch 3/90 | loss 1.2345 | acc 55.1 | lr 0.001 | device cuda:0 | mem 4312 MiB\nsaved checkpoint epoch_3.pth\n",
    "17/06/09 20:10:40 INFO executor.Executor: Running task 0.0 in stage 0.0 (TID 0)\n"
    "WARN NativeCodeLoader: Unable to load native-hadoop library for your platform\n",
)


@pytest.mark.parametrize("text", ORDINARY, ids=range(len(ORDINARY)))
def test_nothing_is_named_in_an_ordinary_log(text: str) -> None:
    assert meant(text).matches == ()


def test_a_folder_of_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text(ORDINARY[0])
    assert wild.main(tmp_path) == 0
    (tmp_path / "b.log").write_text("RuntimeError: No CUDA GPUs are available\n")
    assert wild.main(tmp_path) == 1
    assert "b.log: env.cvd_empty" in capsys.readouterr().out
