"""The verdict on recorded results, without any GPU."""

import math
from dataclasses import replace

import pytest

from cudafit.bench.compare import regressions
from cudafit.bench.peaks import peaks_of
from cudafit.bench.verdict import judge
from cudafit.matrix.load import open_matrix
from cudafit.model.bench import RAN, Bench, Device, Load, Run, Told
from cudafit.model.machine import Gpu, PcieLink

FACTS = open_matrix().facts("gpus", "pci_gpus", "bench_speeds", "bench_errors")


def gpu(name: str, device: str | None = None, memory: int | None = None) -> Gpu:
    return Gpu(
        0,
        name,
        None,
        None,
        memory,
        False,
        None,
        True,
        pci_device_id=f"10de:{device}" if device else None,
        pcie=PcieLink(5, 5, 16, 16),
    )


H200 = gpu("NVIDIA H200", "2335", 143771)
USED = Device("NVIDIA H200", True, "nvml", "cuda", "cuda:0")
BUSY = Load(
    readings=9, clock_mhz=1980, clock_max_mhz=1980, power_w=698.0, power_limit_w=700.0, power_limit_default_w=700
)
RIGHT = Told("matmul", "bfloat16", "right", max_error=8e-4, checked=True, where="cuda:0")


def recorded(matmul: float, copy: float) -> tuple[Told, ...]:
    return (
        RIGHT,
        Told("matmul", "bfloat16", "speed", matmul, "TFLOP/s", 1e-4, True, 0.01, 60, 8192),
        Told("copy", "float32", "speed", copy, "GB/s", 0.0, True, 0.01, 60, 1 << 31),
    )


def verdict(told: tuple[Told, ...], device: Device = USED, load: Load = BUSY, on: Gpu = H200) -> Bench:
    run = Run("torch", RAN, "2.11.0+cu130", devices=1, where="cuda:0", told=told)
    return judge(device, [run], peaks_of(on, FACTS), FACTS, load)


@pytest.mark.parametrize("matmul", [769.0, 798.0])
def test_a_recorded_h200_passes(matmul: float) -> None:
    bench = verdict(recorded(matmul, 4300.0))
    assert (bench.verdict, bench.causes) == ("pass", ())
    speeds = {one.test: one for one in bench.results if one.kind == "speed"}
    assert (speeds["matmul"].expected, speeds["copy"].expected) == (989.0, 4800.0)
    assert speeds["copy"].ratio == pytest.approx(0.896, abs=1e-3)


def test_a_fifth_of_it_is_slow_and_the_power_limit_is_the_cause() -> None:
    capped = replace(BUSY, clock_mhz=450, power_limit_w=200.0, throttle_reasons=("sw_power_cap",))
    bench = verdict(recorded(154.0, 860.0), load=capped)
    assert bench.verdict == "slow"
    assert bench.causes[0].text == "its power limit is 200 W, and 700 W by default, and it is reached"


def test_a_slowness_that_nothing_explains_says_so() -> None:
    bench = verdict(recorded(154.0, 4300.0))
    assert bench.verdict == "slow"
    assert bench.causes[0].text.startswith("no throttling, no other process, the cores ran at 1980 of 1980 MHz")


def test_a_narrow_link_explains_slow_transfers() -> None:
    sent = Told("host_to_device", "pinned", "speed", 3.1, "GB/s", 0.0, True)
    narrow = replace(BUSY, pcie_generation=1, pcie_generation_max=5, pcie_width=16, pcie_width_max=16)
    bench = verdict((*recorded(780.0, 4300.0), sent), load=narrow)
    assert bench.verdict == "slow"
    assert bench.causes[0].text == "the PCIe link runs at generation 1 x16, and could at generation 5 x16"


@pytest.mark.parametrize(
    "told",
    [
        replace(RIGHT, max_error=0.3),
        replace(RIGHT, max_error=None),
        replace(RIGHT, max_error=math.nan),
        replace(RIGHT, where="cpu"),
        replace(RIGHT, failed="RuntimeError: no kernel image"),
    ],
)
def test_one_wrong_result_decides(told: Told) -> None:
    assert verdict((told, *recorded(780.0, 4300.0))).verdict == "wrong"


def test_without_proof_nothing_passes() -> None:
    unseen = replace(USED, used_gpu=None, proof=None, evidence=("the GPU was not seen while the process ran",))
    assert verdict(recorded(780.0, 4300.0), unseen).verdict == "not-verified"
    bench = verdict(recorded(780.0, 4300.0), replace(USED, used_gpu=False))
    assert (bench.verdict, bench.not_used) == ("not-verified", True)


def test_without_a_right_product_nothing_passes() -> None:
    assert verdict(recorded(780.0, 4300.0)[1:]).verdict == "not-verified"


def test_a_gpu_without_peak_figures_is_right_and_not_judged() -> None:
    bench = verdict(recorded(780.0, 4300.0), on=gpu("NVIDIA Z9000"))
    assert bench.verdict == "not-verified"
    assert "no peak figures of `NVIDIA Z9000`" in bench.causes[1].text


def test_the_cpu_verifies_nothing_and_can_be_wrong() -> None:
    cpu = Device("CPU", None, None, "cpu", "cpu")
    assert verdict((replace(RIGHT, where="cpu:0"),), cpu).verdict == "not-verified"
    assert verdict((replace(RIGHT, where="cpu:0", max_error=1.0),), cpu).verdict == "wrong"


@pytest.mark.parametrize(
    ("on", "model"),
    [
        (H200, "H200 SXM 141GB"),
        (gpu("NVIDIA H200", None, 143771), "H200 SXM 141GB"),
        (gpu("NVIDIA H100 80GB HBM3", "2330", 81559), "H100 SXM5 80GB"),
        (gpu("NVIDIA A100-SXM4-40GB", "20b0", 40960), "A100 SXM4 40GB"),
        (gpu("NVIDIA GeForce RTX 4090", None, 24564), "GeForce RTX 4090"),
        (gpu("NVIDIA GeForce RTX 4090 Laptop GPU", None, 16376), "GeForce RTX 4090 Mobile"),
        (gpu("NVIDIA GeForce RTX 4060 Ti", None, 16380), "GeForce RTX 4060 Ti"),
        (gpu("NVIDIA A100 80GB PCIe", None, 81920), "A100 PCIe 80GB"),
        (gpu("NVIDIA H100 NVL", None, 95830), "H100 NVL 94GB"),
    ],
)
def test_the_row_of_peak_figures(on: Gpu, model: str | None) -> None:
    assert peaks_of(on, FACTS).model == model


def test_a_laptop_is_judged_by_its_memory_alone() -> None:
    figures = dict(peaks_of(gpu("NVIDIA GeForce RTX 4090 Laptop GPU"), FACTS).figures)
    assert figures == {"pcie_gb_s": 63.0, "bandwidth_gb_s": 576.0}


def test_of_what_one_name_may_mean_the_lowest_is_expected() -> None:
    """The driver calls both the one with GDDR5 and the one with GDDR6 so."""
    assert peaks_of(gpu("NVIDIA GeForce GTX 1650", None, 4096), FACTS).figure("bandwidth_gb_s") == 128


@pytest.mark.parametrize("name", ["GRID A100-10C", "NVIDIA A40-8Q"])
def test_a_share_of_a_gpu_has_no_figures(name: str) -> None:
    assert "share of a GPU" in (peaks_of(gpu(name), FACTS).missing or "")


def test_every_row_of_the_thresholds_is_a_number_with_a_reason() -> None:
    for speed in FACTS.bench_speeds:
        assert 0 < float(speed.share) < 1
        assert float(speed.times) > 0
        assert speed.reason
    for error in FACTS.bench_errors:
        assert float(error.bound) >= 0
        assert error.reason


def test_regressions_are_more_than_noise() -> None:
    before, now = verdict(recorded(790.0, 4300.0)), verdict(recorded(700.0, 4200.0))
    (worse,) = regressions(now, before)
    assert (worse.test, worse.before, worse.now, worse.noise) == ("matmul", 790.0, 700.0, 0.05)
    assert regressions(before, now) == ()
    noisy = replace(now, results=tuple(replace(one, spread=0.05) for one in now.results))
    assert regressions(noisy, before) == ()
