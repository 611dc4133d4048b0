"""What commands cost now, by `python -c "import click"`; with a revision, what they cost now by what they cost then.

    make bench-compare REV=main~20

Both take turns within one run, each from its own checkout, with this environment's Python and packages, over the
same work. `--record` keeps the ratios of a commit in benchmarks/results/ratios.jsonl: no times, which say more about a
machine than about cudafit.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.growth import CARD, CUDAFIT, ROWS
from benchmarks.measures import YARDSTICK, Command, compiling, in_turns, ratio
from benchmarks.startup import TWO_GPUS
from tests import fake_nvml

TOP = Path(__file__).resolve().parent.parent
HISTORY = TOP / "benchmarks" / "results" / "ratios.jsonl"
# What decides what a command costs; notes and tests do not.
MEASURED = ("src", "matrices", "templates", "benchmarks", "pyproject.toml")


def commands(folder: Path) -> dict[str, Command]:
    """The doors that people use most, and the rows of the growth with ten times the work."""
    live = compiling()
    if fake_nvml.compiler():
        (folder / "nvml").mkdir()
        live = fake_nvml.environment(TWO_GPUS, folder / "nvml", live)
    found = {
        "--help": Command((*CUDAFIT, "--help")),
        "inspect": Command((*CUDAFIT, "inspect"), environ=live, codes=(0, 1, 3)),
        "inspect --json": Command((*CUDAFIT, "inspect", "--json"), environ=live, codes=(0, 1, 3)),
        "resolve torch": Command((*CUDAFIT, "resolve", "torch"), environ=live, codes=(0, 1, 3)),
        "resolve torch, described": Command((*CUDAFIT, "resolve", "torch", *CARD)),
        "resolve torch --json, described": Command((*CUDAFIT, "resolve", "torch", "--json", *CARD)),
    }
    for row in ROWS:
        place = folder / row.name
        place.mkdir()
        found[f"{10 * row.unit} {row.words}"] = row.make(place, 10 * row.unit)
    return found


def of_checkout(command: Command, tree: str, cache: str) -> Command:
    """The same by the cudafit of another checkout, which compiles its facts into a cache of its own."""
    environ = compiling() if command.environ is None else command.environ
    return replace(command, environ={**environ, "PYTHONPATH": f"{tree}/src", "XDG_CACHE_HOME": cache})


def check_origin(tree: str) -> None:
    """Exits where another cudafit than that of this checkout would be measured."""
    code = "import cudafit; print(cudafit.__file__)"
    environ = {**compiling(), "PYTHONPATH": f"{tree}/src"}
    words = (*CUDAFIT[:-2], "-c", code)
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True, cwd=tempfile.gettempdir())
    if Path(done.stdout.strip()).resolve().parent != Path(tree).resolve() / "src" / "cudafit":
        sys.exit(f"{done.stdout.strip()} would be measured, and not {tree}")


def git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(TOP), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return done.stdout.strip()


@contextmanager
def checkout(revision: str) -> Iterator[str]:
    """A worktree of a commit that belongs to no branch, gone afterwards."""
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    with tempfile.TemporaryDirectory() as folder:
        tree = os.path.join(folder, "then")
        git("worktree", "add", "--quiet", "--detach", tree, commit)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", tree)


def side_by_side(cases: Mapping[str, Command], now: str, then: str, rounds: int) -> Iterator[tuple[str, float | None]]:
    """Each command's cost now by then; None where one of the two does not answer it."""
    for tree in (now, then):
        check_origin(tree)
    with tempfile.TemporaryDirectory() as caches:
        for name, command in cases.items():
            pair = [of_checkout(command, tree, os.path.join(caches, str(n))) for n, tree in enumerate((now, then))]
            try:
                mine, theirs = in_turns(pair, rounds)
            except SystemExit:
                yield name, None
                continue
            yield name, ratio(mine, theirs)


def by_click(cases: Mapping[str, Command], rounds: int) -> Iterator[tuple[str, float]]:
    for name, command in cases.items():
        base, mine = in_turns([Command(YARDSTICK), command], rounds)
        yield name, ratio(mine, base)


def record(history: Path, commit: str, date: str, ratios: Mapping[str, float]) -> None:
    """One line a commit; one that is there already gives way."""
    kept = [one for one in read(history) if one["commit"] != commit]
    told = {name: round(value, 2) for name, value in ratios.items()}
    python = ".".join(platform.python_version_tuple()[:2])
    kept.append({"commit": commit, "date": date, "python": python, "by_import_click": told})
    history.parent.mkdir(exist_ok=True)
    history.write_text("".join(f"{json.dumps(one)}\n" for one in kept), encoding="utf-8")


def read(history: Path) -> list[dict[str, object]]:
    if not history.exists():
        return []
    return [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", help="a commit to compare with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--record", action="store_true", help="keep the ratios of this commit")
    options = parser.parse_args(arguments)
    if options.record and options.revision:
        parser.error("what is recorded is one commit's own: without a revision")
    if options.record and git("status", "--porcelain", "--", *MEASURED):
        sys.exit("nothing is recorded: what was measured is not what a commit holds")
    if options.revision:
        git("rev-parse", "--verify", "--end-of-options", f"{options.revision}^{{commit}}")
    with tempfile.TemporaryDirectory() as folder:
        cases = commands(Path(folder))
        if options.revision:
            print(f"{options.rounds} rounds, medians of CPU time: now, by {options.revision} (-: not answered by both)")
            with checkout(options.revision) as then:
                for name, value in side_by_side(cases, str(TOP), then, options.rounds):
                    print(f"  {'-' if value is None else format(value, '.2f'):>5}  {name}", flush=True)
            return 0
        print(f"{options.rounds} rounds, medians of CPU time, by `import click`")
        ratios = {}
        for name, value in by_click(cases, options.rounds):
            ratios[name] = value
            print(f"  {value:5.2f}  {name}", flush=True)
    if options.record:
        record(HISTORY, git("rev-parse", "HEAD"), git("show", "-s", "--format=%cs", "HEAD"), ratios)
        print(f"recorded in {HISTORY.relative_to(TOP)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
