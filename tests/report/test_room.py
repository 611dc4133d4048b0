"""The model of a page, and the command that writes it."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from benchmarks.resolve import snapshots
from cudafit.model.bench import Bench, Device, Result
from cudafit.model.room import Outlier
from cudafit.report.drift import drift_of
from cudafit.report.records import Known, LockFile
from cudafit.report.room import without_users
from cudafit.report.speeds import speeds_of
from tests.report import LOCK, MACHINES, MARKUP, ROOM, diagnosis, room
from tests.schemas import validate

Cudafit = Callable[..., Any]
LOADS = re.compile(r"""(?:src|href|action|data|poster|srcset)\s*=|url\(|@import""", re.IGNORECASE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return room(tmp_path_factory.mktemp("rooms") / "lab 3")


@pytest.fixture
def shown(cudafit: Cudafit, folder: Path, tmp_path: Path) -> tuple[dict[str, Any], str]:
    """The JSON and the page."""
    done = cudafit("report", str(folder), "-o", str(tmp_path / "room.html"), "--json")
    assert done.returncode == 1, done.stderr
    record = json.loads(done.stdout)
    validate(record, "report-1")
    return record, (tmp_path / "room.html").read_text(encoding="utf-8")


def test_each_machine_has_its_state(shown: tuple[dict[str, Any], str]) -> None:
    record, _ = shown
    states = {one["name"]: one["state"] for one in record["machines"]}
    assert states == {
        "ws01": "error",
        "ws02": "error",
        "ws03": "read",
        "gpu01": "read",
        "gpu02": "ok",
        "old": "read",
        "broken": "unknown",
        "driverless": "error",
        "login": "no-gpu",
        MARKUP: "read",
    }
    assert {one["state"]: one["machines"] for one in record["states"]} == {
        state: list(states.values()).count(state) for state in set(states.values())
    }
    assert sum(cell["machines"] for cell in record["map"]) == len(ROOM)
    ws01 = next(one for one in record["machines"] if one["name"] == "ws01")
    assert (record["map"][ws01["cell"]]["gpus"], record["map"][ws01["cell"]]["branch"]) == (
        "NVIDIA GeForce RTX 4090",
        "550",
    )
    assert ws01["cause"] == "torch.cpu_wheel"


def test_locks_are_judged_for_each_machine(shown: tuple[dict[str, Any], str]) -> None:
    record, _ = shown
    new, old = record["locks"]
    assert (new["path"], new["fits"], new["unknown"]) == ("locks/requirements.txt", 1, 1)
    assert [sorted(one["machines"]) for one in new["refused"]] == [
        sorted(["broken", "ws01", "ws02", "ws03", "gpu01", MARKUP]),
        ["driverless", "old"],
    ]
    assert "580.65.06 or newer" in new["refused"][0]["why"]
    assert "here is" not in new["refused"][0]["why"], "machines with other drivers have one reason"
    assert "sm_61" in new["refused"][1]["why"]
    assert (old["path"], old["fits"]) == ("old.lock.txt", 7)
    fits = {one["name"]: one["locks"] for one in record["machines"]}
    assert fits["gpu02"] == [True, True]
    assert fits["old"] == [False, True]
    assert fits["login"] == [None, None]


def test_it_says_what_a_newer_driver_would_bring(shown: tuple[dict[str, Any], str]) -> None:
    record, _ = shown
    branches = {one["branch"]: one for one in record["drivers"]}
    everywhere = branches["580"]
    assert (everywhere["changed"], everywhere["already"], everywhere["cannot"], everywhere["left"]) == (8, 1, 0, 1)
    assert {"path": "locks/requirements.txt", "before": 1, "after": 7} in everywhere["locks"]
    newer = [one for name, one in branches.items() if int(name) > 580]
    assert newer
    assert all(one["cannot"] == 2 for one in newer), "580 is the last branch for Pascal"


def test_findings_are_grouped_by_cause(shown: tuple[dict[str, Any], str]) -> None:
    record, _ = shown
    first, second = record["findings"]
    assert (first["id"], first["causes"], first["machines"]) == ("torch.cpu_wheel", 2, ["ws01", "ws02"])
    assert (second["id"], second["causes"]) == ("torch.companion_mismatch", 0)
    assert first["title"] == "torch is a build for the CPU", "the catalogue's, which names no paths"


def test_benchmarks_and_environments(shown: tuple[dict[str, Any], str]) -> None:
    record, _ = shown
    matmul, copy, launch = record["speeds"]
    assert (matmul["machines"], matmul["median"], matmul["expected"]) == (3, 140.0, 165.0)
    assert [one["machine"] for one in matmul["outliers"]] == ["ws03"]
    assert [one["why"] for one in copy["outliers"]] == ["43% of the median"]
    assert (launch["expected"], launch["outliers"]) == (None, [])
    drifts = {one["machine"]: one for one in record["environments"]}
    assert set(drifts) == {"ws02", "ws03"}
    assert drifts["ws02"]["differences"] == [{"package": "numpy", "lock": "2.1.0", "here": "2.0.0"}]
    assert drifts["ws02"]["more"] == 1
    assert drifts["ws03"]["lock"] is None


def test_foreign_and_newer_files_are_named(shown: tuple[dict[str, Any], str]) -> None:
    record, page = shown
    assert {one["path"] for one in record["unread"]} == {"newer.json", "notes.json", "photo.png"}
    assert "its schema is cudafit.machine/7, which this page does not show" in page


class _Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [f"{tag} {name}" for name, _ in attrs if LOADS.match(f"{name}=")]
        self.links += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]


def test_the_page_loads_nothing_and_shows_markup_as_text(shown: tuple[dict[str, Any], str]) -> None:
    _, page = shown
    parsed = _Parsed()
    parsed.feed(page)
    assert "img" not in parsed.tags
    assert parsed.links == []
    assert parsed.tags.count("script") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "default-src 'none'" in page
    assert "alice" not in page
    assert page.count("<tr data-c=") == len(ROOM)


def test_text_for_a_terminal(cudafit: Cudafit, folder: Path) -> None:
    done = cudafit("report", str(folder))
    assert done.returncode == 1
    assert re.search(r"machines +3 machines: a problem +\[driverless, ws01, ws02\]", done.stdout)
    assert re.search(r"lock +locks/requirements.txt fits 1 of 10 machines", done.stdout)
    assert re.search(r"locks/requirements.txt would fit 7, not 1", done.stdout)
    assert re.search(r"bench +ws03: torch matmul bfloat16 is slow", done.stdout)
    assert re.search(r"passed over +notes.json", done.stdout)


def test_a_page_of_one_machine(cudafit: Cudafit, tmp_path: Path) -> None:
    done = cudafit("report", str(MACHINES / "h100x8-580.json"), "-o", str(tmp_path / "one.html"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "<h1>cudafit report: h100x8-580</h1>" in page
    assert "8 x NVIDIA H100 80GB HBM3" in page
    assert "What was found" not in page


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "tells of no machine"),
        ({"a.json": "[1]"}, "`a.json`: it is no list of packages, as `pip list --format json` writes it"),
        (
            {"a.json": '{"schema": "cudafit.doctor/1"}'},
            "`a.json`: it is not as cudafit.doctor/1 should be: at `status`",
        ),
        ({"a.json": '{"schema": 1e400}'}, "`a.json`: it is no snapshot"),
        ({"a.txt": "hello"}, "`a.txt`: it is no list of packages, as `pip freeze` writes it"),
    ],
)
def test_a_folder_without_machines(cudafit: Cudafit, tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = cudafit("report", str(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr
    assert "hint: `cudafit inspect --save" in done.stderr


def test_a_second_snapshot_of_a_machine_is_named(cudafit: Cudafit, tmp_path: Path) -> None:
    text = (MACHINES / "h100x8-580.json").read_text()
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "a.machine.json").write_text(text)
    (tmp_path / "a.doctor.json").write_text(json.dumps(diagnosis(None, status="warning")))
    (tmp_path / "b.json").symlink_to("/dev/zero")
    done = cudafit("report", str(tmp_path), "--json")
    record = json.loads(done.stdout)
    assert [one["state"] for one in record["machines"]] == ["warning"]
    assert [one["path"] for one in record["unread"]] == ["a.machine.json", "b.json"]
    assert record["unread"][0]["why"] == "there is another snapshot of a"


def test_a_page_that_cannot_be_written(cudafit: Cudafit, tmp_path: Path) -> None:
    done = cudafit("report", str(MACHINES / "h100x8-580.json"), "-o", str(tmp_path / "no" / "page.html"))
    assert done.returncode == 1
    assert "error: cannot write" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("torch in /home/alice/env is a CPU build", "torch in /home/USER/env is a CPU build"),
        ("`/Users/Bob Smith/x`", "`/Users/USER Smith/x`"),
        (r"C:\Users\carol\env", r"C:\Users\USER\env"),
        ("/usr/home of nobody", "/usr/home of nobody"),
    ],
)
def test_names_of_users_are_left_out(text: str, said: str) -> None:
    assert without_users(text) == said


def test_a_time_that_is_long_stands_out_and_a_short_one_does_not() -> None:
    def known(name: str, value: float) -> Known:
        result = Result("launch", "float32", value, "us", None, None, None, "measured", "torch", "speed")
        return Known(name, benches=(Bench("pass", Device("X", True, "nvml"), (result,)),))

    (speed,) = speeds_of([known("a", 2.0), known("b", 2.0), known("c", 9.0), known("d", 0.5)])
    assert speed.outliers == (Outlier("c", 9.0, "450% of the median"),)


def test_an_environment_is_held_against_the_lock_that_it_is_nearest_to() -> None:
    one = LockFile("one", {"torch": "2.15.0", "numpy": "2.1.0"})
    two = LockFile("two", {"torch": "2.14.1", "numpy": "2.1.0"})
    assert drift_of("ws", {"torch": "2.14.1", "numpy": "2.1.0", "pip": "25"}, (one, two)) is None
    found = drift_of("ws", {"torch": "2.14.1"}, (one, two))
    assert found is not None
    assert (found.lock, found.differences[0].here) == ("two", None)
    assert drift_of("ws", {"x": "1"}, ()) is None


@pytest.mark.slow
def test_ten_thousand_machines_make_a_page_of_less_than_5_mb(cudafit: Cudafit, tmp_path: Path) -> None:
    place = Path(snapshots(tmp_path / "room", 50, 10_000))
    (place / "locks").mkdir()
    (place / "locks" / "requirements.txt").write_text(LOCK)
    done = cudafit("report", str(place), "-o", str(tmp_path / "room.html"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "room.html").stat().st_size < 5_000_000


def test_one_lock_for_a_room_that_holds_more_than_snapshots(cudafit: Cudafit, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text((MACHINES / "h100x8-580.json").read_text())
    (tmp_path / "a.doctor.json").write_text(json.dumps(diagnosis(None)))
    done = cudafit("resolve", "torch", "--machine", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["machines"]) == 1
    (tmp_path / "a.json").unlink()
    done = cudafit("resolve", "torch", "--machine", str(tmp_path))
    assert done.returncode == 2
    assert 'expected `cudafit.machine/1`, found "cudafit.doctor/1"' in done.stderr
