"""What is run, believed and installed: programs, locks, and the exit code of a job."""

from pathlib import Path

from tests.hostile.case import Case

# A job's exit code, whatever becomes of the report.


def _run(name: str, words: tuple[str | Path, ...], job: tuple[str, ...], code: int, *says: str) -> Case:
    return Case(f"run, {name}", lambda _made: ["run", *words, "--", *job], codes=(code,), says=says)


def _runs() -> list[Case]:
    jobs = {
        "a job that ends with 7": (("sh", "-c", "exit 7"), 7),
        "a job that is killed": (("sh", "-c", "kill $$"), 143),
    }
    places: dict[str, tuple[tuple[str | Path, ...], str]] = {
        "a full disk": (("--json-file", "/dev/full"), "cannot write `/dev/full`"),
        "a folder that takes no files": (("--json-file", "/proc/report.json"), "cannot write `/proc/report.json`"),
        "a picture for a folder that takes no files": (("--plot", "/proc/report.svg"), "cannot write"),
        "a folder in place of a file": (("--json-file", "."), "cannot write `.`"),
        "one file of two": (("--json-file", "/dev/full", "--plot", "/proc/x.html"), "cannot write `/proc/x.html`"),
    }
    return [
        _run(f"{place}, {name}", words, job, code, says)
        for name, (job, code) in jobs.items()
        for place, (words, says) in places.items()
    ]


CASES = [*_runs()]
