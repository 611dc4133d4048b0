"""What one, ten and a hundred times the work cost, and the exponent with which the cost grows; above 1.1 is a finding.

The cost is CPU time, by that of once; once is also told by `python -c "import click"`. The second exponent is that of
what comes on top of the start, where ten times the work shows.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lint import scripts
from benchmarks.measures import YARDSTICK, Command, Growth, growth, in_turns, ratio
from benchmarks.resolve import snapshots
from cudafit.matrix.folder import BUILDS, file_text, read_folder
from cudafit.repair.state import state_of
from cudafit.repair.transaction import transaction

TOP = Path(__file__).resolve().parent.parent
CUDAFIT = (sys.executable, "-P", "-m", "cudafit") if sys.version_info >= (3, 11) else (sys.executable, "-m", "cudafit")
CARD = ("--gpu", "A100", "--driver", "580.65.06", "--python", "3.12")
TIMES = (1, 10, 100)
# As a log is: most lines say nothing, some name an error, and no two are alike.
ORDINARY = "2026-03-0{d} 11:{m:02}:{s:02} INFO epoch {n} step {n}: loss 0.{n:05} lr 1e-4 {x} samples/s"
ERROR = "RuntimeError: CUDA error: no kernel image is available for execution on the device (rank {n})"


@dataclass(frozen=True)
class Row:
    """`make` puts so much work into a new folder and says which command does it."""

    name: str
    unit: int
    make: Callable[[Path, int], Command]
    words: str


def packages(folder: Path, count: int) -> Command:
    """Installed by metadata alone, each with files and with a need of another one, as in real ones."""
    site = folder / "env" / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    (folder / "env" / "bin").mkdir()
    (folder / "env" / "bin" / "python").symlink_to(sys.executable)
    (folder / "env" / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = 3.12.1\n")
    for number in range(count):
        info = site / f"package{number}-1.{number}.dist-info"
        info.mkdir()
        needs = f"Requires-Dist: package{(number * 7 + 1) % count}>=1.0\n" if number else ""
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.4\nName: package{number}\nVersion: 1.{number}\nRequires-Python: >=3.8\n{needs}"
        )
        info.joinpath("INSTALLER").write_text("uv\n")
        info.joinpath("RECORD").write_text(
            "".join(f"package{number}/part{part}.py,sha256={'x' * 43},100\n" for part in range(20))
        )
    return Command((*CUDAFIT, "doctor", "--env", str(folder / "env"), "--json", *CARD[:4]), codes=(0, 1, 3))


def rows(folder: Path, times: int) -> Command:
    """The rows of torch so often: the same builds again under older versions."""
    file = read_folder(str(TOP / "matrices")).files["frameworks/torch.yaml"]
    first = [entry.record for entry in file.entries[BUILDS]]
    more = [replace(row, version=f"0.{one}.{row.version.replace('.', '')}") for one in range(1, times) for row in first]
    (folder / "frameworks").mkdir()
    text = file_text(file.comment, file.scalars, {BUILDS: [*more, *first]})
    (folder / "frameworks" / "torch.yaml").write_text(text, encoding="utf-8")
    return Command((*CUDAFIT, "resolve", "torch", "--json", *CARD, "--matrix", str(folder)))


def machines(folder: Path, count: int) -> Command:
    room = snapshots(folder / "room", 50, count)
    return Command((*CUDAFIT, "resolve", "torch", "--json", "--python", "3.12", "--machine", room), codes=(0, 1))


def kinds(folder: Path, count: int) -> Command:
    """Machines of which no two decide alike are worked through one by one."""
    room = snapshots(folder / "room", count, count)
    return Command((*CUDAFIT, "resolve", "torch", "--json", "--python", "3.12", "--machine", room), codes=(0, 1))


def page(folder: Path, count: int) -> Command:
    """Each machine with a report of doctor's."""
    room = snapshots(folder / "room", 50, count)
    report = (
        '{"schema":"cudafit.doctor/1","status":"error","cause":"torch.cpu_wheel","findings":[{"id":"torch.cpu_wheel",'
    )
    report += '"severity":"error","title":"torch is a build for the CPU"}],"gpus":1}'
    for number in range(count):
        (Path(room) / f"m{number:05d}.doctor.json").write_text(report, encoding="utf-8")
    return Command((*CUDAFIT, "report", room, "-o", str(folder / "room.html")), codes=(1,))


def files(folder: Path, count: int) -> Command:
    for number, text in enumerate(islice(cycle(scripts()), count)):
        place = folder / f"part{number % 20}"
        place.mkdir(exist_ok=True)
        (place / f"train{number}.py").write_text(text, encoding="utf-8")
    return Command((*CUDAFIT, "lint", "--no-cache", "--json", "."), str(folder), codes=(0, 1))


def generations(folder: Path, count: int) -> Command:
    """One is taken of a small environment, and copied: cudafit itself keeps three."""
    packages(folder, 5)
    env = str(folder / "env")
    with transaction(env, reason="benchmark"):
        pass
    state = state_of(env)
    first = Path(state.generation("1"))
    for number in range(2, count + 1):
        shutil.copytree(first, state.generation(str(number)), symlinks=True)
    return Command((*CUDAFIT, "rollback", env, "--list", "--json"))


def messages(folder: Path, count: int) -> Command:
    lines = [
        (ERROR if number % 50 == 49 else ORDINARY).format(
            n=number, d=1 + number % 9, m=number // 60 % 60, s=number % 60, x=number * 37 % 1009
        )
        for number in range(count)
    ]
    (folder / "train.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Command((*CUDAFIT, "explain", "--no-look", "--json", "--file", str(folder / "train.log")), codes=(0, 1))


ROWS = (
    Row("packages", 100, packages, "packages in an environment: doctor"),
    Row("rows", 1, rows, "times the rows of torch: resolve"),
    Row("machines", 100, machines, "machines of 50 kinds: resolve"),
    Row("kinds", 30, kinds, "machines, all of other kinds: resolve"),
    Row("page", 100, page, "machines with their reports: report"),
    Row("files", 20, files, "files of code: lint"),
    Row("generations", 10, generations, "generations kept: rollback --list"),
    Row("messages", 1000, messages, "lines of a log: explain"),
)


def measured(row: Row, folder: Path, rounds: int) -> tuple[Growth, list[float]]:
    """The growth, and the costs: of the first by the yardstick, then of once, ten and a hundred times by the first."""
    commands = [Command(YARDSTICK)]
    for times in TIMES:
        place = folder / f"{row.name}-{times}"
        place.mkdir()
        commands.append(row.make(place, row.unit * times))
    base, first, *more = in_turns(commands, rounds)
    ratios = [ratio(first, base), 1.0, *(ratio(one, first) for one in more)]
    return growth(ratios[1:]), ratios


def line(row: Row, told: Growth, ratios: list[float]) -> str:
    start, *costs = ratios
    above = "   -" if told.above is None else f"{told.above:4.2f}"
    verdict = "  FINDING: grows faster than the work" if told.finding else ""
    figures = " ".join(f"{cost:7.2f}" for cost in costs)
    return f"  {start:5.2f}  {figures}   {told.whole:4.2f} {above}  from {row.unit} {row.words}{verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[row.name for row in ROWS])
    parser.add_argument("--strict", action="store_true", help="exit with 1 where there is a finding")
    options = parser.parse_args()
    print(f"{options.rounds} rounds, medians of CPU time")
    print("  click    once     10x    100x   exponents: whole, above the start")
    found = 0
    for row in ROWS:
        if options.only in (None, row.name):
            with tempfile.TemporaryDirectory() as folder:
                told, ratios = measured(row, Path(folder), options.rounds)
            print(line(row, told, ratios), flush=True)
            found += told.finding
    return 1 if found and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
