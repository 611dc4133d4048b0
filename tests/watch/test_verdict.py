"""Whether a job used the GPU, and what slowed it down, from records that are made up."""

import pytest

from cudafit.machine.nvml_watch import GpuLook, Look, Watched
from cudafit.machine.processes import Process
from cudafit.model.finding import Finding
from cudafit.model.run import FILES_AND_MEMORY, NVML, RunReport
from cudafit.watch.hints import Hints
from cudafit.watch.record import Record, Timeline
from cudafit.watch.report import Told, report_of
from cudafit.watch.verdict import Circumstances, slowed, use_of

JOB, WORKER, OTHER = 10, 11, 99
HERE = Circumstances(None, nvml_absent=False, ids_are_ours=True, cpus=16)
IN_A_CONTAINER = Circumstances(None, nvml_absent=False, ids_are_ours=False, cpus=16)
NO_NVML = Circumstances("libnvidia-ml.so.1 was not found", nvml_absent=True, ids_are_ours=True)
STEP = 0.5


def gpu(
    processes: dict[int, int | None] | None,
    utilization: int | None = 90,
    used: int | None = 1000,
    reasons: tuple[str, ...] = (),
    clock: int = 1400,
) -> GpuLook:
    return GpuLook(0, processes, utilization, used, reasons, clock, 1400)


def process(pid: int, cpu_s: float, state: str = "R") -> Process:
    return Process(pid, 1, 1, 5, "python", state, cpu_s)


def recorded(*looks: GpuLook, cores: float = 0.5, worker_cores: float = 0.0, state: str = "R") -> Record:
    record = Record(100.0)
    record.watch([Watched(0, "NVIDIA A100", "GPU-1", 40960)])
    for number, look in enumerate(looks, 1):
        at = 100.0 + STEP * number
        alive = {JOB: process(JOB, cores * STEP * number, state), WORKER: process(WORKER, worker_cores * STEP * number)}
        record.add_processes(alive, at)
        record.add_look(Look(at, (look,)), {JOB, WORKER})
    return record


def report(record: Record, around: Circumstances = HERE) -> RunReport:
    return report_of(record, around, Told(("python",), JOB, record.last_at - record.began, 2, {JOB: "python"}))


def found(record: Record, around: Circumstances = HERE) -> list[Finding]:
    return list(slowed(record, use_of(record, around), around, {JOB: "python", OTHER: "python"}))


def test_a_context_for_a_part_of_the_time() -> None:
    looks = [gpu({OTHER: 100})] * 2 + [gpu({JOB: 500}, 80), gpu({JOB: 700}, 40)] * 9
    told = report(recorded(*looks))
    assert (told.used_gpu, told.proof, told.samples) == (True, NVML, 20)
    assert (told.peak_memory_mib, told.mean_utilization, told.first_context_s) == (700, 60.0, 1.5)
    assert told.gpus[0].share == 0.9
    assert told.gpus[0].others == (OTHER,)
    assert told.causes == ()


def test_a_child_that_computes_is_the_job() -> None:
    assert use_of(recorded(gpu({WORKER: 300})), HERE).used is True


def test_memory_of_several_processes_adds_up_and_what_is_not_told_is_nothing() -> None:
    told = report(recorded(gpu({JOB: 500, WORKER: 300}), gpu({JOB: None})))
    assert told.peak_memory_mib == 800


def test_never() -> None:
    told = report(recorded(gpu({}), gpu({OTHER: 2000})))
    assert (told.used_gpu, told.proof, told.peak_memory_mib, told.mean_utilization) == (False, NVML, 0, None)
    assert told.evidence == ("NVML lists process 99, and none of the job",)


def test_what_goes_on_may_still_use_it() -> None:
    around = Circumstances(None, nvml_absent=False, ids_are_ours=True, goes_on=True)
    assert use_of(recorded(gpu({})), around).used is None
    assert use_of(recorded(gpu({JOB: 5})), around).used is True


def test_a_job_that_nobody_saw() -> None:
    told = report(recorded())
    assert (told.used_gpu, told.peak_memory_mib) == (None, None)
    assert told.evidence == ("the job ended before NVML was asked",)


@pytest.mark.parametrize(
    ("opened", "used", "expected"),
    [
        ((), (1000, 9000), False),  # the memory is that of others
        (("/dev/nvidia0",), (1000, 9000), False),  # as nvidia-smi opens it
        (("/dev/nvidia-uvm", "/dev/nvidia0"), (1000, 1300), True),
        (("/dev/nvidia-uvm", "/dev/nvidia0"), (1000, 1010), False),  # CUDA was asked how many GPUs there are
        (("/dev/nvidia-uvm", "/dev/nvidia0"), (None, None), None),
        (("/dev/dxg",), (500, 2000), True),
        (None, (1000, 9000), None),
    ],
)
def test_in_a_container_files_and_memory_tell(
    opened: tuple[str, ...] | None, used: tuple[int | None, int | None], expected: bool | None
) -> None:
    record = recorded(gpu({4321: 500}, used=used[0]), gpu({4321: 500}, used=used[1]))
    record.add_devices([opened])
    use = use_of(record, IN_A_CONTAINER)
    assert use.used is expected
    assert use.evidence[0] == "NVML calls processes by other numbers here, as in containers"
    if expected:
        assert use.proof == FILES_AND_MEMORY
        told = report(record, IN_A_CONTAINER)
        assert told.peak_memory_mib == (used[1] or 0) - (used[0] or 0)
        assert told.mean_utilization == 90.0


def test_without_nvml() -> None:
    record = recorded()
    nowhere = Circumstances("not found", nvml_absent=True, ids_are_ours=True, device_files=False)
    assert use_of(record, nowhere).used is False
    assert use_of(record, NO_NVML).used is None
    record.add_devices([()])
    assert use_of(record, NO_NVML).used is False
    record.add_devices([("/dev/nvidia-uvm", "/dev/nvidia0")])
    assert use_of(record, NO_NVML).used is None


def test_nvml_that_broke_off_says_nothing_about_the_rest() -> None:
    broke = Circumstances("gave no answer for 15 s", nvml_absent=False, ids_are_ours=True)
    assert use_of(recorded(gpu({})), broke).used is None
    assert use_of(recorded(gpu({JOB: 1})), broke).used is True


STARVED = [gpu({JOB: 500}, 12)] * 20


def test_a_full_core_beside_an_idle_gpu() -> None:
    (one,) = found(recorded(*STARVED, cores=1.0))
    assert (one.id, one.title) == ("perf.input_bound", "GPU 0 waits for the processor")
    assert [evidence.fact for evidence in one.evidence] == [
        "GPU 0 was busy 12 % of 8 s",
        "process 10 (python) kept 1.0 cores busy",
    ]


def test_a_core_that_others_want_as_well() -> None:
    (one,) = found(recorded(*STARVED, cores=0.5))
    assert "was at work 100 % of the time, and got 0.5 of a core" in one.evidence[1].fact


def test_a_worker_at_its_limit_and_a_disk_that_is_slow() -> None:
    (one,) = found(recorded(*STARVED, cores=0.1, worker_cores=1.0))
    assert "process 11, which it started, kept 1.0 cores busy" in one.evidence[1].fact
    assert one.title == "GPU 0 waits for data"
    (one,) = found(recorded(*STARVED, cores=0.1, state="D"))
    assert "waited for a disk" in one.evidence[1].fact


def test_few_processors_for_the_gpu() -> None:
    around = Circumstances(None, nvml_absent=False, ids_are_ours=True, cpus=1)
    (one,) = found(recorded(*STARVED, cores=0.4, worker_cores=0.5, state="S"), around)
    assert one.evidence[1].fact == "the job may use one CPU and kept it busy"
    assert one.fix is not None
    assert "1 CPU is few for 1 GPU" in one.fix.text


def test_no_alarm_where_nothing_is_full_or_the_gpu_is_busy_or_the_time_was_short() -> None:
    assert not found(recorded(*STARVED, cores=0.3, state="S"))  # waits for its user
    assert not found(recorded(*[gpu({JOB: 500}, 95)] * 20, cores=1.0))  # a core that waits for the GPU is busy too
    assert not found(recorded(*STARVED[:6], cores=1.0))
    assert not found(recorded(*[gpu({JOB: 500}, None)] * 20, cores=1.0))  # slices tell no utilization
    assert not found(recorded(*[gpu({OTHER: 500}, 12)] * 20, cores=1.0))


def test_a_clock_that_was_lowered() -> None:
    looks = [gpu({JOB: 500}, 99, reasons=("hw_thermal_slowdown",), clock=350)] * 20
    (one,) = found(recorded(*looks))
    assert one.id == "perf.throttled"
    assert one.evidence[1].fact == "GPU 0: its clock was at 25 % of the highest"
    assert not found(recorded(*[gpu({JOB: 500}, 99, reasons=("sw_power_cap",))] * 20))
    assert not found(recorded(*[gpu({JOB: 500}, 99)] * 19, looks[0]))


def test_memory_that_others_hold() -> None:
    (one,) = found(recorded(*[gpu({JOB: 500, OTHER: 30000})] * 3))
    assert (one.id, one.severity) == ("gpu.memory_held", "warning")
    assert one.evidence[0].fact == "GPU 0: 30000 of 40960 MiB by process 99 (python)"
    assert not found(recorded(*[gpu({JOB: 30000, OTHER: 500})] * 3))


def test_the_course_stays_short_and_whole() -> None:
    timeline = Timeline(0.0)
    for number in range(1, 100_001):
        timeline.add(number * 0.5, 1.0, (50.0,), (number,))
    moments = timeline.moments()
    assert 200 <= len(moments) <= 401
    assert moments[0].at == 0.0
    assert sum(one.seconds for one in moments) == pytest.approx(50_000, rel=1e-4)
    assert {one.utilization for one in moments} == {(50.0,)}
    assert moments[-1].memory_mib == (100_000,)


def test_a_machine_that_slept_adds_no_hours() -> None:
    record = Record(0.0)
    record.watch([Watched(0, None, None, None)])
    record.add_look(Look(1.0, (gpu({JOB: 1}),)), {JOB})
    record.add_look(Look(7200.0, (gpu({JOB: 1}),)), {JOB})
    assert record.gpus[0].held_s == 6.0


def test_a_model_that_is_too_large_for_the_gpu() -> None:
    hints = Hints(offloads=(12,), loaders=(30,))
    around = Circumstances(None, nvml_absent=False, ids_are_ours=True, cpus=16, script="train.py", hints=hints)
    full = [gpu({JOB: 39000}, 9, used=40000)] * 20
    (one,) = found(recorded(*full, cores=1.0), around)
    assert one.id == "perf.offloaded"
    assert one.evidence[-1].via == "train.py:12"
    (one,) = found(recorded(*STARVED, cores=1.0), around)
    assert one.id == "perf.input_bound"
    assert one.evidence[-1].via == "train.py:30"
    assert found(recorded(*full, cores=1.0))[0].id == "perf.input_bound"


# Reported failures that no file shows: a job has to run. Of each what its thread tells.
_MEASURED = {
    # NVIDIA-NeMo/Speech issue 1204: the memory is full, the GPU idle, and a warning names few workers.
    "Y01": ("perf.input_bound", 1.0, Hints(loaders=(7,)), 16, "t.py:7"),
    # pytorch/examples issue 387: the job got fewer processors than its GPUs want.
    "Y02": ("perf.input_bound", 0.99, Hints(), 1, "/proc"),
    # hiyouga/LlamaFactory issue 4697: with device_map="auto" some parameters went to the CPU.
    "Z08": ("perf.offloaded", 1.0, Hints(offloads=(3,)), 16, "t.py:3"),
}


@pytest.mark.parametrize("case", _MEASURED)
def test_what_a_real_job_waited_for(case: str) -> None:
    kind, cores, hints, cpus, via = _MEASURED[case]
    around = Circumstances(None, nvml_absent=False, ids_are_ours=True, cpus=cpus, script="t.py", hints=hints)
    (one,) = found(recorded(*[gpu({JOB: 39500}, 4, used=40000)] * 20, cores=cores), around)
    assert (one.id, one.evidence[-1].via) == (kind, via)
    told = report(recorded(*[gpu({JOB: 39500}, 4, used=40000)] * 20, cores=cores), around)
    assert told.used_gpu is True  # it is slow, and it is not on the CPU
