"""Whether a cell used the GPU, from looks as NVML gives them."""

import pytest

from cudafit.machine.nvml_watch import GpuLook, Look, Watched
from cudafit.model.run import FILES_AND_MEMORY, NVML
from cudafit.notebook.cell import Cell, CellRecord, CellUse, judge

KERNEL, OTHER = 100, 200
Mine = int | None


def look(
    at: float, mine: Mine = None, busy: int | None = 0, other: Mine = None, all_mib: int | None = 0, listed: bool = True
) -> Look:
    """One GPU; `mine` and `other` are the MiB that the kernel and somebody else hold there."""
    told = {pid: mib for pid, mib in ((KERNEL, mine), (OTHER, other)) if mib is not None}
    return Look(at, (GpuLook(0, told if listed else None, busy, all_mib, (), None, None),))


def judged(
    before: list[Look],
    during: list[Look],
    seconds: float = 5.0,
    *,
    error: str | None = None,
    absent: bool = False,
    ours: bool = True,
    cuda: tuple[bool | None, bool | None] = (None, None),
) -> CellUse:
    """The cell begins at 10.0."""
    record = CellRecord(9.0)
    record.watch((Watched(0, "GPU", None, 40960),))
    for one in before:
        record.add_look(one, {KERNEL})
    record.cell_began = 10.0
    for one in during:
        record.add_look(one, {KERNEL})
    return judge(Cell(seconds, tuple(record.seen.values()), error, absent, ours, *cuda))


def test_a_context_that_was_not_there() -> None:
    told = judged([look(9.9)], [look(10.2), look(11.2, 400, 30), look(15.1, 500, 60)])
    assert (told.used, told.proof) == (True, NVML)
    assert told.gpus[0].text.startswith("this cell made a context there, 500 MiB at most; the GPU was busy ")


def test_memory_that_grew() -> None:
    told = judged([look(9.9, 400)], [look(10.2, 400), look(12, 900), look(15.1, 400)])
    assert told.used is True
    assert "grew from 400 to 900 MiB" in told.gpus[0].text


def test_memory_grows_also_where_others_compute() -> None:
    told = judged([look(9.9, 400, 90, other=100)], [look(15.1, 401, 90, other=100)])
    assert told.used is True
    assert "with the work of process 200" in told.gpus[0].text


def test_a_context_that_does_nothing_is_no_use() -> None:
    told = judged([look(9.9, 400)], [look(10.2, 400), look(15.1, 400)])
    assert (told.used, told.proof) == (False, NVML)
    assert told.why == ("the context that the kernel holds was there before, and the GPU was idle",)
    text = "the kernel holds a context of 400 MiB there since before this cell; the GPU was idle during this cell"
    assert told.gpus[0].text == text


def test_a_busy_gpu() -> None:
    told = judged([look(9.9, 400)], [look(10.2, 400, 50), look(15.1, 400, 50)])
    assert told.used is True
    assert "the GPU was busy 50 % of this cell on average" in told.gpus[0].text


def test_what_came_right_before_the_cell_is_not_its_work() -> None:
    """NVML tells the mean of up to a second."""
    after_work = [look(9.9, 400, 95)]
    assert judged(after_work, [look(10.1, 400, 80), look(10.9, 400, 5), look(15.1, 400, 0)]).used is False
    short = judged(after_work, [look(10.1, 400, 80)], seconds=0.1)
    assert short.used is None
    assert "0.1 s are too short to tell this cell's work from what came before" in short.gpus[0].text
    assert judged(after_work, [look(10.1, 400, 80), look(11.1, 400, 90)]).used is True


def test_work_where_others_compute_is_not_claimed() -> None:
    told = judged([look(9.9, 400, 0, other=100)], [look(15.1, 400, 90, other=100)])
    assert (told.used, told.proof) == (None, None)
    assert "busy up to 90 %, and process 200 computes there, too" in told.gpus[0].text
    assert judged([look(9.9, 400, 0, other=100)], [look(15.1, 400, 0, other=100)]).used is False


def test_a_screen_is_no_work() -> None:
    assert judged([look(9.9, 400, 3)], [look(15.1, 400, 4)]).used is None
    assert judged([look(9.9, 400, 3)], [look(15.1, 400, 30)]).used is True


def test_a_short_cell() -> None:
    told = judged([look(9.9, 400)], [look(10.2, 400)], seconds=0.1)
    assert told.used is None
    assert "the GPU did not seem busy, but 0.1 s are too short to tell" in told.gpus[0].text
    assert judged([look(9.9, 400)], [look(10.2, 400, 7)], seconds=0.1).used is True
    assert judged([look(9.9)], [look(10.2)], seconds=0.1).used is False, "a kernel keeps the context that it makes"


def test_no_answer() -> None:
    assert judged([], []).used is None
    told = judged([look(9.9)], [], seconds=0.1)
    assert (told.used, told.proof) == (None, None)
    assert told.why == ("NVML did not answer in 0.1 s",)
    assert judged([look(9.9)], [look(12)], error="ended with SIGSEGV").used is None
    assert judged([look(9.9)], [look(12, 400)], error="ended with SIGSEGV").used is True


def test_a_first_answer_that_came_too_late() -> None:
    told = judged([], [look(12, 400, 50), look(15.1, 400, 50)])
    assert told.used is None
    assert "NVML answered too late to tell" in told.gpus[0].text
    assert judged([], [look(12, 400), look(15.1, 600)]).used is True


def test_no_utilization() -> None:
    """As of a slice of a card."""
    told = judged([look(9.9, 400, None)], [look(15.1, 400, None)])
    assert told.used is None
    assert "NVML does not tell how busy the GPU is" in told.gpus[0].text


def test_no_context_at_all() -> None:
    told = judged([look(9.9, other=100)], [look(15.1, busy=99, other=100)])
    assert (told.used, told.why) == (False, ("NVML lists no context of this kernel",))
    started = judged([look(9.9)], [look(15.1)], cuda=(False, True))
    assert started.why[1] == "the cell started CUDA and made no context"


def test_of_two_gpus_one_is_enough() -> None:
    record = CellRecord(9.0)
    record.watch((Watched(0, "A", None, 40960), Watched(1, "B", None, 40960)))

    def both(at: float, mine: Mine) -> Look:
        gpus = [look(at, 400).gpus[0], GpuLook(1, {KERNEL: mine} if mine else {}, 0, 0, (), None, None)]
        return Look(at, tuple(gpus))

    record.add_look(both(9.9, None), {KERNEL})
    record.cell_began = 10.0
    record.add_look(both(15.1, 300), {KERNEL})
    told = judge(Cell(5.0, tuple(record.seen.values())))
    assert told.used is True
    assert [one.used for one in told.gpus] == [False, True]


def foreign(at: float, all_mib: int | None, busy: int | None = 0) -> Look:
    """As in a container: the numbers of processes are the host's."""
    return look(at, other=300, all_mib=all_mib, busy=busy)


@pytest.mark.parametrize(
    ("before", "during", "cuda", "used", "said"),
    [
        (foreign(9.9, 10), foreign(15.1, 10), (False, False), False, "has opened no device file that CUDA needs"),
        (foreign(9.9, 10), foreign(15.1, 600), (False, True), True, "grew by 590 MiB"),
        (foreign(9.9, 600), foreign(15.1, 900), (True, True), True, "grew by 300 MiB"),
        (foreign(9.9, 10), foreign(15.1, 12), (False, True), False, "did not grow by as much as a context takes"),
        (foreign(9.9, 600), foreign(15.1, 600), (True, True), False, "it was idle during this cell"),
        (foreign(9.9, 600), foreign(15.1, 600, 80), (True, True), None, "whose work that was NVML does not tell here"),
        (foreign(9.9, 600), foreign(15.1, None), (True, True), None, "is not known"),
        (foreign(9.9, 600), foreign(15.1, 600), (None, None), None, "could not be read"),
    ],
)
def test_where_numbers_are_not_ours(
    before: Look, during: Look, cuda: tuple[bool | None, bool | None], used: bool | None, said: str
) -> None:
    told = judged([before], [during], ours=False, cuda=cuda)
    assert told.used is used
    assert told.proof == (None if used is None else FILES_AND_MEMORY)
    assert said in "; ".join([*told.why, *(one.text for one in told.gpus)])
    assert told.why[0] == "NVML calls processes by other numbers here, as in containers"


def test_without_nvml() -> None:
    told = judged([], [], error="not found", absent=True, cuda=(False, False))
    assert (told.used, told.proof) == (False, FILES_AND_MEMORY)
    assert told.why[0] == "there is no NVML (libnvidia-ml.so.1) here"
    assert judged([], [], error="not found", absent=True, cuda=(True, True)).used is None
