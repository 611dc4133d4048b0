"""Snapshots read from files and folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.machine.saved import load, load_all
from tests.machines import FOLDER


def snapshot(name: str = "v100-535") -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return value


def write(folder: Path, name: str, value: object) -> str:
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


def test_machines_that_are_alike_in_what_decides_are_one_object(tmp_path: Path) -> None:
    one = snapshot()
    two = snapshot()
    two["gpus"][0]["uuid"] = "GPU-other"
    two["gpus"][0]["memory_used_mib"] = 17
    three = snapshot()
    three["driver"]["version"] = "550.54.15"
    for name, value in (("a.json", one), ("b.json", two), ("c.json", three)):
        write(tmp_path, name, value)
    (tmp_path / "notes.txt").write_text("no snapshot")
    found = list(load_all([str(tmp_path)]))
    assert [name for name, _ in found] == ["a", "b", "c"]
    machines = [machine for _, machine in found]
    assert machines[0] is machines[1]
    assert machines[0] is not machines[2]
    assert machines[2].driver
    assert machines[2].driver.version == "550.54.15"


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["gpus"][0].update(visible=False),
        lambda it: it["gpus"][0].update(compute_capability="7.5"),
        lambda it: it["os"].update(libc="glibc 2.17"),
        lambda it: it["os"].update(wsl=True),
        lambda it: it.update(undetermined="NVML: Unknown Error"),
        lambda it: it.update(pythons=[]),
        lambda it: it.update(driver=None),
        lambda it: it.update(overrides=[{"variable": "CONDA_OVERRIDE_CUDA", "value": "12.0", "field": "cuda"}]),
    ],
)
def test_what_decides_tells_two_machines_apart(tmp_path: Path, change: Any) -> None:
    other = snapshot()
    change(other)
    paths = [write(tmp_path, "a.json", snapshot()), write(tmp_path, "b.json", other)]
    (_, one), (_, two) = load_all(paths)
    assert one is not two
    assert two == load(paths[1])


def test_a_file_of_a_folder_that_is_no_snapshot_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.json", snapshot())
    write(tmp_path, "b.json", [1])
    with pytest.raises(InputError, match=r"b\.json"):
        list(load_all([str(tmp_path)]))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no snapshot"):
        list(load_all([str(empty)]))
