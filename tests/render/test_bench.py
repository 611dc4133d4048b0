"""A benchmark as text and as a picture."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from cudafit.model.bench import Bench, Cause, Device, Framework, Regression, Result
from cudafit.render.bench_plot import html, svg
from cudafit.render.bench_rows import bench_rows, history_rows, verdict_text

DEVICE = Device("NVIDIA H200", True, "nvml", number="cuda:0", evidence=("NVML lists process 12 on NVIDIA H200",))
RESULTS = (
    Result("matmul", "bfloat16", None, None, None, None, 8e-4, "pass", "torch"),
    Result(
        "matmul",
        "bfloat16",
        780.0,
        "TFLOP/s",
        989.0,
        0.7887,
        1e-4,
        "pass",
        "torch",
        "speed",
        0.5,
        spread=0.02,
        size=8192,
    ),
    Result(
        "copy", "float32", 860.0, "GB/s", 4800.0, 0.18, 0.0, "slow", "torch", "speed", 0.7, note="below 0.7 of the peak"
    ),
    Result("launch", "float32", 2.5, "us", None, None, None, "measured", "torch", "speed"),
    Result("fft", "complex64", None, None, None, None, None, "skipped", "torch", note="the <time> was over"),
)
BENCH = Bench(
    "slow",
    DEVICE,
    RESULTS,
    (Cause("its power limit is 200 W, and 700 W by default", "NVML under load"),),
    (Framework("torch", "2.11.0+cu130", "ran", where="cuda:0", import_seconds=2.04),),
    regressions=(Regression("torch", "copy", "float32", 4300.0, 860.0, "GB/s", 0.05),),
    date="2026-11-20T10:00:00+00:00",
    seconds=8.2,
)


def test_rows() -> None:
    assert [(row.label, row.value) for row in bench_rows(BENCH)] == [
        ("device", "cuda:0 · NVIDIA H200"),
        ("proof", "used, seen from outside; NVML lists process 12 on NVIDIA H200"),
        ("torch", "2.11.0+cu130, imported in 2.0 s, its tensors are on cuda:0"),
        ("  right", "matmul (bfloat16)"),
        ("  matmul bfloat16", "780 TFLOP/s ± 1.0%, 0.79 of 989"),
        ("  copy float32", "860 GB/s, 0.18 of 4800, slow: below 0.7 of the peak"),
        ("  launch float32", "2.5 us"),
        ("  fft complex64", "skipped: the <time> was over"),
        ("worse", "torch copy float32: 860 GB/s, was 4300 (-80%)"),
        ("verdict", "slow: right, and slower than this GPU should be (8.2 s)"),
        ("cause", "its power limit is 200 W, and 700 W by default"),
    ]


def test_not_verified_says_why_and_never_ok() -> None:
    bench = Bench("not-verified", Device(None, None, None), (), (Cause("no GPU here", "NVML"),))
    assert verdict_text(bench) == "not verified: no GPU here"
    assert [row.label for row in bench_rows(bench)] == ["device", "verdict"]


def test_history_is_a_line_a_run() -> None:
    (row,) = history_rows([BENCH])
    told = "slow · NVIDIA H200 · torch matmul bfloat16 780 TFLOP/s · torch copy float32 860 GB/s"
    assert (row.label, row.value) == (BENCH.date, told)


def test_foreign_text_leaves_the_picture_whole() -> None:
    evil = "H200 \x1b[31m\x07\u202e\uffff<b>"
    bench = replace(BENCH, device=Device(evil, None, evil, "cuda"), causes=(Cause(evil, evil),))
    for drawn in (svg(bench), html(bench)):
        assert r"H200 \x1b[31m\x07\u202e\uffff&lt;b&gt;" in drawn
        assert not set(evil) & set(drawn) & set("\x1b\x07\u202e\uffff")
    ElementTree.fromstring(svg(bench))


def test_the_picture_is_whole_xml_with_a_bar_for_each_speed() -> None:
    drawn = svg(BENCH)
    root = ElementTree.fromstring(drawn)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "780 TFLOP/s = 79% of 989" in texts
    assert "2.5 us" in texts
    assert "roofline" in texts
    assert html(BENCH).count("<svg") == 1
    without = svg(Bench("not-verified", Device("CPU", None, None, "cpu", "cpu"), RESULTS[3:4]))
    assert "roofline" not in without
