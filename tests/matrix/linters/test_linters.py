"""Each linter fails on a BAD example, with file and line, and passes the GOOD one."""

from datetime import date
from pathlib import Path

import pytest

from cudafit.matrix.folder import Flaw
from cudafit.matrix.linters import LINTERS, check
from tests.matrix.folders import INDEXES, SOURCES, TOOLKITS, TORCH, folder

TODAY = date(2026, 2, 1)
BUILD = "{version: 2.6.0, variant: cpu, platform: windows-x86_64, index: pypi, sources: doc}"
TORCH_FILE = "frameworks/torch.yaml"
LIBRARIES = """# Libraries.

libraries:
- {package: nvidia-cudnn-cu12, version: 9.1.0.70, kernels: sm_80 sm_90, sources: doc}
"""
NAMES = """# Names.

names:
- {name: pytorch, means: torch, kind: wrong, sources: doc}
"""
PLACES = """# Places.

places:
- {place: nvidia/cudnn, packages: a b, sources: doc}
"""

# linter -> BAD examples: the changed file, and the flaw that is told.
BAD: dict[str, list[tuple[dict[str, str], Flaw]]] = {
    "evidence": [
        (
            {"torch": TORCH.replace("index: pypi, sources", "index: pypi, evidence: lock, sources")},
            Flaw(TORCH_FILE, 6, "evidence", "no source of the row is a lock"),
        ),
        (
            {
                "torch": TORCH.replace("index: pypi, sources", "index: other, sources"),
                "indexes": f"{INDEXES}- {{name: other, kind: extra, sources: doc}}\n",
            },
            Flaw(TORCH_FILE, 6, "evidence", "no source of the row is a wheel"),
        ),
    ],
    "schema": [
        (
            {"torch": TORCH.replace("index: pypi, sources: doc", "index: pypi, kernel: sm_80, sources: doc")},
            Flaw(TORCH_FILE, 6, "schema", "no field is called `kernel`"),
        ),
        (
            {"torch": TORCH.replace("variant: cpu, ", "")},
            Flaw(TORCH_FILE, 6, "schema", "`variant` is missing"),
        ),
        (
            {"torch": TORCH.replace("platform: windows-x86_64", "platform: [windows-x86_64]")},
            Flaw(TORCH_FILE, 6, "schema", "`platform` must be a text"),
        ),
        (
            {"torch": TORCH.replace("index: pypi, sources", "index: pypi, verified: maybe, sources")},
            Flaw(TORCH_FILE, 6, "schema", "`verified` must be yes or no, not `maybe`"),
        ),
        (
            {"torch": TORCH.replace("variant: cpu,", "variant: cpu, variant: cpu,")},
            Flaw(TORCH_FILE, 6, "schema", "the key `variant` stands twice"),
        ),
        ({"torch": TORCH.replace("- {version: 2.6.0", "- version: 2.6.0 {")}, Flaw(TORCH_FILE, 6, "schema", "")),
        (
            {"torch": TORCH.replace("package: torch\n", "")},
            Flaw(TORCH_FILE, 1, "schema", "expected a text for `package`"),
        ),
        ({"torch": TORCH.replace("builds:", "build:")}, Flaw(TORCH_FILE, 1, "schema", "no list is called `build`")),
        ({"toolkit": TOOLKITS}, Flaw("toolkit.yaml", 1, "schema", "no matrix file is called `toolkit.yaml`")),
        ({"torch": "builds:\n\t- x\n"}, Flaw(TORCH_FILE, 2, "schema", "a tab; indent with spaces")),
    ],
    "canonical": [
        (
            {
                "torch": TORCH.replace(
                    "2.6.0, variant: cpu, platform: windows-x86_64", "2.6.0, platform: windows-x86_64, variant: cpu"
                )
            },
            Flaw(TORCH_FILE, 6, "canonical", f"written differently; expected: - {BUILD}"),
        ),
        ({"torch": TORCH.replace("version: 2.6.0", 'version: "2.6.0"')}, Flaw(TORCH_FILE, 6, "canonical", "")),
    ],
    "unique": [
        (
            {"torch": TORCH + f"- {BUILD}\n"},
            Flaw(TORCH_FILE, 7, "unique", "`torch 2.6.0 cpu windows-x86_64 pypi` stands"),
        ),
    ],
    "sources": [
        ({"torch": TORCH.replace(", index: pypi, sources: doc", ", index: pypi")}, Flaw(TORCH_FILE, 6, "sources", "")),
        (
            {"torch": TORCH.replace("index: pypi, sources: doc", "index: pypi, sources: hearsay")},
            Flaw(TORCH_FILE, 6, "sources", "no source is called `hearsay`"),
        ),
        (
            {"sources": SOURCES + "- {name: idle, title: Unused, kind: document}\n"},
            Flaw("sources.yaml", 5, "sources", "no row uses the source `idle`"),
        ),
        (
            {"sources": SOURCES.replace("kind: document", "kind: wheel")},
            Flaw("sources.yaml", 4, "sources", "the wheel `doc` has no sha256"),
        ),
    ],
    "references": [
        (
            {"torch": TORCH.replace("index: pypi, sources", "index: pytorch-cpu, sources")},
            Flaw(TORCH_FILE, 6, "references", "no index is called `pytorch-cpu`"),
        ),
        (
            {"torch": TORCH.replace("cuda: 12.4", "cuda: 12.5")},
            Flaw(TORCH_FILE, 5, "references", "no toolkit is CUDA 12.5"),
        ),
        ({"torch": TORCH.replace("sm_86", "sm86")}, Flaw(TORCH_FILE, 5, "references", "`sm86` is no kernel name")),
        ({"torch": TORCH.replace("sm_86", "sm_85")}, Flaw(TORCH_FILE, 5, "references", "no architecture has")),
        (
            {"torch": TORCH.replace("cuda: 12.4", "cuda: 12.4, cudnn: 9.1.0.70")},
            Flaw(TORCH_FILE, 5, "references", "no cuDNN wheel is 9.1.0.70"),
        ),
        (
            {"torch": TORCH.replace("index: pypi, sources", "index: pypi, cuda: 12.4, sources")},
            Flaw(TORCH_FILE, 6, "references", "a cpu build has no CUDA version"),
        ),
        (
            {"libraries": LIBRARIES.replace("sm_90", "sm_95")},
            Flaw("libraries.yaml", 4, "references", "no architecture has the capability of `sm_95`"),
        ),
        (
            {"names": NAMES.replace("torch,", "torches,")},
            Flaw("names.yaml", 4, "references", "the matrix has no package"),
        ),
        ({"names": NAMES.replace("wrong", "odd")}, Flaw("names.yaml", 4, "references", "`odd` is none of")),
        ({"names": NAMES.replace("pytorch", "torch")}, Flaw("names.yaml", 4, "references", "`torch` has builds")),
        ({"places": PLACES.replace(" b,", " a,")}, Flaw("places.yaml", 4, "references", "a place that only one")),
    ],
    "newest": [
        (
            {"torch": TORCH.replace("cuda: 12.4", "cuda: 13.0")},
            Flaw(TORCH_FILE, 5, "newest", "CUDA 13.0 is newer than"),
        ),
    ],
    "floors": [
        (
            {"toolkits": TOOLKITS.replace("560.35.05", "545.23.06")},
            Flaw(
                "toolkits.yaml",
                5,
                "floors",
                "linux_driver 545.23.06 of CUDA 12.6.3 goes down: CUDA 12.4.1 ships 550.54.15",
            ),
        ),
        (
            {"toolkits": TOOLKITS.replace("major: 12", "major: 11")},
            Flaw("toolkits.yaml", 4, "floors", "CUDA 12 has no floor"),
        ),
    ],
    "kernels": [
        (
            {"torch": TORCH.replace("cuda: 12.4", "cuda: 12.6").replace("sm_90", "sm_100")},
            Flaw(TORCH_FILE, 5, "kernels", "CUDA 12.6 compiles 5.0 to 9.0, not `sm_100`"),
        ),
    ],
    "pairing": [
        (
            {"torch": TORCH.replace("'nvidia-nccl-cu12<3,>=2'", "torch==2.4.0")},
            Flaw(TORCH_FILE, 5, "pairing", "`torch==2.4.0`: the matrix has no torch 2.4.0"),
        ),
        (
            {"torch": TORCH.replace("'nvidia-nccl-cu12<3,>=2'", "torch==2.6.0")},
            Flaw(TORCH_FILE, 5, "pairing", "`torch==2.6.0`: the matrix has no torch 2.6.0 for linux-x86_64"),
        ),
    ],
}


def test_every_linter_has_a_bad_example() -> None:
    assert set(BAD) == {linter.name for linter in LINTERS}


def test_the_good_folder_is_clean(tmp_path: Path) -> None:
    assert check(folder(tmp_path), TODAY) == []


def test_names_places_and_libraries_of_known_things_are_clean(tmp_path: Path) -> None:
    assert check(folder(tmp_path, names=NAMES, places=PLACES, libraries=LIBRARIES), TODAY) == []


CASES = [(name, changed, flaw) for name, cases in BAD.items() for changed, flaw in cases]


@pytest.mark.parametrize(
    ("name", "changed", "expected"), CASES, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(CASES)]
)
def test_bad_example_is_told_with_its_place(name: str, changed: dict[str, str], expected: Flaw, tmp_path: Path) -> None:
    told = [flaw for flaw in check(folder(tmp_path, **changed)) if flaw.linter == name]
    assert told, "the linter said nothing"
    assert (told[0].file, told[0].line) == (expected.file, expected.line)
    assert told[0].message.startswith(expected.message)
    assert told[0].severity == "error"


def test_all_flaws_are_told_not_the_first(tmp_path: Path) -> None:
    changed = TORCH.replace("index: pypi", "index: nowhere").replace("sm_86", "sm_99")
    flaws = check(folder(tmp_path, torch=changed, indexes=INDEXES.replace("sources: doc", "sources: gone")))
    assert len([flaw for flaw in flaws if flaw.severity == "error"]) == 5


def test_old_facts_are_warned_of(tmp_path: Path) -> None:
    (flaw,) = check(folder(tmp_path), date(2026, 7, 1))
    assert (flaw.linter, flaw.severity, flaw.line) == ("stale", "warning", 4)
    assert "no source was read for 181 days" in flaw.message


def test_driver_below_its_floor_is_a_warning(tmp_path: Path) -> None:
    changed = TOOLKITS.replace("525.60.13", "555.42.02")
    (flaw,) = check(folder(tmp_path, toolkits=changed))
    assert (flaw.severity, flaw.line) == ("warning", 4)
