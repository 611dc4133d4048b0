"""How bad a finding is, how often it is said, and what its fix asks for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.model.environment import TooOld
from cudafit.model.finding import ERROR, WARNING, Finding, Report
from cudafit.model.machine import DeviceNode, GpuProcess, Library, Machine, PciDevice, VisibleDevices
from tests.doctor.worlds import CU126, FACTS, environment, machine, torch, tree

BUSY = (GpuProcess(4711, "compute", "python", 20000),)


def on(seen: Machine) -> Report:
    return diagnose(World(seen, None, FACTS))


def the(report: Report, name: str) -> Finding:
    (found,) = [one for one in report.findings if one.id == name]
    return found


def test_exclusive_mode_is_the_cause_where_no_program_can_start() -> None:
    held = {"compute_mode": "exclusive_process", "processes": BUSY}
    report = on(machine(gpu=held))
    assert (report.cause, the(report, "gpu.exclusive_mode").severity) == ("gpu.exclusive_mode", ERROR)
    # Of eight cards the others are free.
    report = on(machine("h100x8-580", gpu=held))
    assert (report.cause, the(report, "gpu.exclusive_mode").severity) == (None, WARNING)
    report = on(machine(gpu={"compute_mode": "prohibited", "processes": ()}))
    assert the(report, "gpu.exclusive_mode").title == "GPU 0 admits no process"


def test_a_torch_that_cannot_read_a_uuid_is_an_error(tmp_path: Path) -> None:
    uuid = "GPU-5ff6b5e2-0000-0000-0000-000000000000"
    seen = machine(environment={"CUDA_VISIBLE_DEVICES": uuid}, visible_devices=VisibleDevices(uuid, (0,)))
    made = environment(tree(tmp_path / "e", torch("1.13.1+cu117", "11.7", "sm_86 sm_90"), ["torch==1.13.1"]))
    assert diagnose(World(seen, made, FACTS)).cause == "torch.cvd_uuid_bug"


def test_nine_libraries_of_another_release_are_one_finding(tmp_path: Path) -> None:
    names = ("cublas", "cufft", "curand", "cusolver", "cusparse", "nvtx", "cuda-cupti", "cuda-nvrtc", "cuda-runtime")
    needs = " & ".join(f"nvidia-{one}-cu12==12.6.1" for one in names)
    dists = [f"torch==2.14.1; needs {needs}", *(f"nvidia-{one}-cu12==12.1.0" for one in names)]
    made = environment(tree(tmp_path / "e", torch("2.14.1+cu126", "12.6", CU126), dists))
    found = the(diagnose(World(machine(), made, FACTS)), "lib.nvidia_dist_conflict")
    assert "9 CUDA packages" in found.title
    assert len(found.evidence) == 18
    assert found.fix
    assert len(found.fix.exact) == 9


def test_nothing_is_said_of_torch_compile_to_torch_1(tmp_path: Path) -> None:
    for version, told in (("1.13.1+cu117", False), ("2.14.1+cu126", True)):
        files = torch(version, version[-3:-1] + "." + version[-1], CU126)
        made = environment(tree(tmp_path / version, files, [f"torch=={version}"]))
        libcuda = (Library("libcuda", None, "/opt/x/libcuda.so.1", "LD_LIBRARY_PATH"),)
        report = diagnose(World(machine(compilers=(), libraries=libcuda), made, FACTS))
        ids = {one.id for one in report.findings}
        assert ("triton.no_c_compiler" in ids) is told
        assert ("triton.libcuda_not_in_ldcache" in ids) is told


def refused(group: str) -> Machine:
    nodes = tuple(
        DeviceNode(f"/dev/{name}", "0660", "root", group, access=False, error="Permission denied")
        for name in ("nvidia0", "nvidiactl", "nvidia-uvm")
    )
    return machine(device_nodes=nodes, os={"container": "docker"})


def test_a_group_that_the_container_does_not_know_is_asked_of_the_host() -> None:
    fix = the(on(refused("nogroup")), "dev.permission").fix
    assert fix
    assert "--group-add nogroup" not in fix.text
    assert fix.commands == (("ls", "-ln", "/dev/nvidia0"),)
    fix = the(on(refused("render")), "dev.permission").fix
    assert fix
    assert "--group-add render" in fix.text


def of_conda(folder: Path, path: str, *packages: str) -> Finding:
    prefix = tree(folder, {}, [])
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "conda-meta").mkdir()
    for name in packages:
        (prefix / "conda-meta" / f"{name}.json").write_text("{}")
    made = environment(prefix)
    old = TooOld(path.replace("PREFIX", str(prefix)), "GLIBCXX_3.4.30", f"{prefix}/lib/x.so", "default folders")
    return the(diagnose(World(machine(), replace(made, too_old=(old,)), FACTS)), "lib.libstdcxx_too_old")


def test_what_is_installed_is_not_to_be_installed(tmp_path: Path) -> None:
    has = "libstdcxx-ng-13.2.0-h7e041cc_5"
    fix: Any = of_conda(tmp_path / "a", "/usr/lib/libstdc++.so.6").fix
    assert fix.commands[0][:2] == ("conda", "install")
    fix = of_conda(tmp_path / "b", "/usr/lib/libstdc++.so.6", has).fix
    assert fix.commands == (("export", f"LD_LIBRARY_PATH={tmp_path / 'b'}/lib"),)
    fix = of_conda(tmp_path / "c", "PREFIX/lib/libstdc++.so.6", has).fix
    assert fix.commands[0][:2] == ("conda", "update")


def test_of_two_copies_the_one_in_front_of_the_environment_goes(tmp_path: Path) -> None:
    made = environment(tree(tmp_path / "e", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"]))
    (own,) = made.distributions
    shadow = replace(own, version="1.13.0", place="/home/x/.local/lib/python3.12/site-packages", metadata="/home/x/m")
    for copies in ((shadow, own), (own, shadow)):
        found = the(diagnose(World(machine(), replace(made, distributions=copies), FACTS)), "dist.duplicate_install")
        assert found.fix
        assert found.fix.text == f"remove the copy in {shadow.place}, or leave all of that folder out"


def test_numbers_of_things_are_said_as_people_say_them() -> None:
    seen = machine(environment={"CUDA_VISIBLE_DEVICES": "3"}, visible_devices=VisibleDevices("3", ()))
    found = the(on(seen), "env.cvd_out_of_range")
    assert "there is 1:" in found.title
    assert found.evidence[1].fact == "1 GPU, numbered from 0"


def test_a_card_that_no_driver_shows_is_named_before_the_cause() -> None:
    card = (PciDevice("0000:01:00.0", "10de:2204", "0x030000", None),)
    gone: dict[str, Any] = {"driver": None, "gpus": (), "device_nodes": (), "problems": (), "undetermined": None}
    report = on(machine(pci=card, **gone))
    assert "no NVIDIA GPU was found" not in report.machine[0]
    assert report.cause
    assert report.cause.startswith("driver.")
