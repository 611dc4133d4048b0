#!/usr/bin/python
# Copyright: the authors of cudafit
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Say why the GPU is not used
description:
  - Runs C(cudafit doctor --json) on the host and returns its report, with one root cause.
  - Reads files alone. Nothing of an environment is imported or run, and nothing is changed.
version_added: "0.1.0"
author:
  - the authors of cudafit (@cudafit)
options:
  environment:
    description:
      - The environment to look at, by its folder or its interpreter on the host.
      - Without it the one that C(cudafit doctor) finds for this user, if there is one.
    type: path
  select:
    description:
      - Only these findings, as C(driver) or C(torch.cpu_wheel).
    type: list
    elements: str
    default: []
  ignore:
    description:
      - Leave these findings out.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - From which status on the task fails. C(unknown) is never a failure.
    type: str
    choices: [never, error, warning]
    default: never
  executable:
    description:
      - How cudafit is started on the host, as a list of words; C(cudafit) where nothing is said.
      - A name is looked for on C(PATH).
    type: list
    elements: str
  pyz:
    description:
      - A file C(cudafit.pyz) on the host, which runs with the Python that runs this module.
    type: path
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
"""

EXAMPLES = r"""
- name: Diagnose the machine and an environment on it
  cudafit.gpu.doctor:
    environment: /srv/model/.venv
  register: diagnosis

- name: Stop where the driver does not work
  cudafit.gpu.doctor:
    select: [driver, gpu]
    fail_on: error
"""

RETURN = r"""
report:
  description: The diagnosis, by the schema C(cudafit.doctor/1).
  returned: when cudafit answered
  type: dict
  sample: {"schema": "cudafit.doctor/1", "status": "ok", "cause": null, "findings": []}
status:
  description: C(ok), C(warning), C(error) or C(unknown).
  returned: when cudafit answered
  type: str
  sample: ok
cause:
  description: The id of the root cause; none where there is none.
  returned: when cudafit answered
  type: str
  sample: torch.cpu_wheel
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cudafit.gpu.plugins.module_utils.cudafit import STARTING, asked

FAILS = {"never": (), "error": ("error",), "warning": ("error", "warning")}


def main():
    module = AnsibleModule(
        argument_spec={
            **STARTING,
            "environment": {"type": "path"},
            "select": {"type": "list", "elements": "str", "default": []},
            "ignore": {"type": "list", "elements": "str", "default": []},
            "fail_on": {"type": "str", "choices": ["never", "error", "warning"], "default": "never"},
        },
        mutually_exclusive=[("executable", "pyz")],
        supports_check_mode=True,
    )
    params = module.params
    words = ["doctor"]
    words += ["--env", params["environment"]] if params["environment"] else []
    for option in ("select", "ignore"):
        for one in params[option]:
            words += ["--" + option, one]
    _, report = asked(module, words, "cudafit.doctor/1", (0, 1, 3))
    told = {"changed": False, "report": report, "status": report["status"], "cause": report["cause"]}
    if report["status"] in FAILS[params["fail_on"]]:
        module.fail_json(msg=said(report), **told)
    module.exit_json(**told)


def said(report):
    """The cause, or what is worst, in one line."""
    order = sorted(report["findings"], key=lambda one: (one["id"] != report["cause"], one["severity"] != "error"))
    return "{0} ({1})".format(order[0]["title"], order[0]["id"]) if order else report["status"]


if __name__ == "__main__":
    main()
