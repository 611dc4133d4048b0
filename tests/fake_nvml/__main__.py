"""Runs a command on a machine that seems to have the GPUs of a spec.

python -m tests.fake_nvml SPEC_FILE [--kernel TEXT|FILE] -- COMMAND...
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fake_nvml import can_mount, compiler, environment, namespace_command


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fake_nvml",
        usage="%(prog)s SPEC_FILE [--kernel TEXT|FILE] -- COMMAND...",
        description="Runs a command on a machine that seems to have the GPUs of a spec.",
    )
    parser.add_argument("spec_file", metavar="SPEC_FILE", type=Path, help="its format: tests/fake_nvml/__init__.py")
    parser.add_argument(
        "--kernel",
        metavar="TEXT|FILE",
        help="also show this kernel module: a version, or the text of /proc/driver/nvidia/version (or a file with it)",
    )
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, command = parser.parse_args(arguments[:end]), arguments[end + 1 :]
    if not command:
        parser.error("no command after --")
    if compiler() is None:
        parser.error("this needs a C compiler (cc or gcc)")
    try:
        spec_text = options.spec_file.read_text()
    except OSError as problem:
        parser.error(f"cannot read the spec: {problem}")
    with tempfile.TemporaryDirectory(prefix="cudafit-fake-nvml-") as name:
        folder = Path(name)
        try:
            variables = environment(spec_text, folder)
        except ValueError as problem:
            parser.error(f"{options.spec_file}: {problem}")
        if options.kernel is not None:
            if reason := can_mount():
                parser.error(f"--kernel does not work on this machine: {reason}")
            is_file = os.path.isfile(options.kernel)
            kernel = Path(options.kernel).read_text() if is_file else options.kernel
            command = namespace_command(kernel, folder, command)
        try:
            code = subprocess.run(command, env=variables, check=False).returncode
        except OSError as problem:
            parser.error(f"cannot run the command: {problem}")
    return code if code >= 0 else 128 - code  # as a shell reports a signal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
