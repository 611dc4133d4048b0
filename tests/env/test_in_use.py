"""Who uses an environment: told by the first words of its command line, without a secret in them."""

from pathlib import Path

from cudafit.env.in_use import Process, processes_using
from cudafit.files import Files


def test_a_running_program_is_named_without_its_secrets(tmp_path: Path) -> None:
    words = {
        "11": ["/e/bin/python", "--hf-token", "Zq7x9", "t.py"],
        "12": ["/e/bin/x", "HF_TOKEN=Zq7x9"],
        "13": ["/bin/sh"],
    }
    for pid, line in words.items():
        (tmp_path / "proc" / pid).mkdir(parents=True)
        (tmp_path / "proc" / pid / "cmdline").write_bytes("\0".join(line).encode() + b"\0")
        (tmp_path / "proc" / pid / "maps").write_bytes(b"")
    found = list(processes_using("/e", Files(str(tmp_path)), own=1))
    assert found == [Process(11, "/e/bin/python --hf-token ***"), Process(12, "/e/bin/x HF_TOKEN=***")]
