# Copyright: the authors of cudafit
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How the modules start cudafit, and what of its answers they understand."""

from __future__ import annotations

import json
import sys

STARTING = {
    "executable": {"type": "list", "elements": "str"},
    "pyz": {"type": "path"},
}


def asked(module, words, schema, codes):
    """What `cudafit WORDS --json` answers, as an object; the module fails where it answers something else."""
    command = started(module.params) + words + ["--json"]
    try:
        code, out, err = module.run_command(command, environ_update={"NO_COLOR": "1"}, handle_exceptions=False)
    except OSError as error:
        module.fail_json(
            msg="cudafit could not be started as `{0}`: {1}".format(" ".join(command[:2]), error.strerror or error),
            command=command,
        )
    lines = [line for line in err.splitlines() if line.strip()]
    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    if code not in codes or not isinstance(answer, dict) or answer.get("schema") != schema:
        msg = lines[0] if lines else "cudafit gave no answer of {0}, and the exit code {1}".format(schema, code)
        module.fail_json(msg=msg, rc=code, stderr=err, command=command)
    return code, answer


def started(params):
    """An argument list. A file `cudafit.pyz` runs with the Python that runs the module."""
    if params["pyz"]:
        return [sys.executable, params["pyz"]]
    return list(params["executable"] or ["cudafit"])
