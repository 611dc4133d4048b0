"""The list of findings and their pages are the catalogue's own."""

import re

from cudafit.model.kinds import KINDS
from tests.findings import PAGE, page


def test_the_list_follows_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make findings`"


def test_every_finding_has_a_page_of_one_shape_and_every_page_a_finding() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (PAGE.parent / "findings").glob("*.md")}
    assert pages.keys() == KINDS.keys()
    for name, text in pages.items():
        assert re.match(rf"# {re.escape(name)}\n\n\S", text), name
        assert re.findall(r"^## .*", text, re.MULTILINE)[:2] == ["## How it is detected", "## What to do by hand"], name


# Pages of which no public thread is known to us: the list only becomes shorter.
_NAMES = """
    code.accelerate_cpu code.accelerate_not_prepared code.cupy_roundtrip code.cvd_disabled code.device_default_cpu
    code.device_map_cpu code.device_selection_inverted code.fabric_not_setup code.host_compute_in_loop
    code.jax_committed_to_cpu code.keras_backend_cpu_only code.moved_back_to_cpu code.tf_device_cpu
    code.tf_gpu_hidden code.to_result_discarded code.unregistered_submodule compose.capabilities_missing
    compose.caps_missing compose.count_and_ids compose.count_zero compose.gpu_hidden compose.image_too_new
    compose.no_gpu compose.no_kernels conda.classic_solver conda.cuda_arch_too_new conda.mixed_channels
    conda.pip_over_conda conda.retired_channel conda.toolkit_major dist.duplicate_install dist.refused
    env.accelerate_use_cpu env.cvd_invalid env.jax_platforms_cpu image.arm_cpu_wheel image.caps_missing
    image.compat_on_path image.cpu_build image.driver_installed image.gpu_hidden image.no_kernels image.stub_on_path
    image.wheel_too_new info.power_capped jax.windows_unsupported lib.nvidia_dir_collision ok.pcie_idle_downshift
    run.gpu_not_seen run.import_failed run.operation_failed tf.cpu_build
    """
_WITHOUT_SOURCES = frozenset(_NAMES.split())


def test_no_page_is_a_skeleton() -> None:
    without = set()
    for path in (PAGE.parent / "findings").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        parts = dict(zip(*[iter(re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
        assert all(part.strip() for part in parts.values()), path.stem
        assert "How to confirm" in parts, path.stem
        if not re.search(r"^ *<https://\S+>$", parts.get("Sources", ""), re.MULTILINE):
            without.add(path.stem)
    assert without <= _WITHOUT_SOURCES, without - _WITHOUT_SOURCES
    assert without >= _WITHOUT_SOURCES, f"they have sources now: {_WITHOUT_SOURCES - without}"
