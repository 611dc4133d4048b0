#!/usr/bin/python
# Copyright: the authors of cudafit
# Apache-2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Read the GPUs, the driver and all that decides about CUDA builds
description:
  - Runs C(cudafit inspect --json) on the host and returns what it says.
  - Changes nothing. What could not be read is named in the snapshot, and is no failure.
version_added: "0.1.0"
author:
  - the authors of cudafit (@cudafit)
options:
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
  timeout:
    description:
      - Cut off a call of the driver that gives no answer for so many seconds.
    type: float
    default: 8.0
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
"""

EXAMPLES = r"""
- name: Read the machine with a cudafit that is installed there
  cudafit.gpu.snapshot:
  register: machine

- name: Read it with the one file, copied before
  cudafit.gpu.snapshot:
    pyz: /opt/cudafit/cudafit.pyz
  register: machine

- name: Say which driver is there
  ansible.builtin.debug:
    msg: "{{ machine.snapshot.driver.version if machine.snapshot.driver else 'none' }}"
"""

RETURN = r"""
snapshot:
  description: The machine, by the schema C(cudafit.machine/1). Written to a file it is what C(--machine) reads.
  returned: success
  type: dict
  sample: {"schema": "cudafit.machine/1", "driver": {"version": "580.65.06"}, "gpus": []}
determined:
  description: Whether the GPUs and the driver could be determined.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cudafit.gpu.plugins.module_utils.cudafit import STARTING, asked


def main():
    module = AnsibleModule(
        argument_spec={**STARTING, "timeout": {"type": "float", "default": 8.0}},
        mutually_exclusive=[("executable", "pyz")],
        supports_check_mode=True,
    )
    words = ["inspect", "--timeout", str(module.params["timeout"])]
    code, snapshot = asked(module, words, "cudafit.machine/1", (0, 3))
    module.exit_json(changed=False, snapshot=snapshot, determined=code == 0)


if __name__ == "__main__":
    main()
