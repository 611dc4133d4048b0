"""Configurations: what counts as the device of the training, and what does not."""

import pytest

from cudafit.lint.check import lint_text


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("a.yaml", "device: cpu\n", [1]),
        ("a.yaml", "trainer:\n  max_epochs: 3\n  accelerator: 'cpu'  # for now\n", [3]),
        ("a.yml", "use_cpu: true\nno_cuda: True\n", [1, 2]),
        ("a.yaml", "training_args:\n  no_cuda: yes\n", [2]),
        ("a.json", '{"train": {"device": "cpu",\n "use_cpu": true}}', [1, 2]),
        ("a.toml", '[train]\ndevice = "cpu"\n', [2]),
        ("a.yaml", "device: cuda\naccelerator: auto\nuse_cpu: false\n", []),
        ("a.yaml", "export:\n  device: cpu\n", []),
        ("a.yaml", "device: cpu  # cudafit: ignore\n", []),
        ("a.yaml", "apiVersion: v1\nkind: Pod\ndevice: cpu\n", []),
        ("a.yaml", "resources:\n  cpu: 2\n  devices: [cpu]\nname: device cpu\n", []),
        ("a.toml", '[inference]\ndevice = "cpu"\n', []),
        ("a.json", '{"device": "cuda", "cpu": 3}', []),
    ],
)
def test_settings(path: str, text: str, lines: list[int]) -> None:
    found = lint_text(text, path)
    assert [one.line for one in found] == lines
    assert {one.id for one in found} <= {"code.config_device_cpu"}
