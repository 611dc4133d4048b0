"""Small matrix folders for tests."""

from pathlib import Path

from cudafit.matrix.folder import Folder, read_folder

MATRIX = "# A matrix for tests.\nversion: 2026.1.1\n"
TOOLKITS = """# Toolkits.

toolkits:
- {cuda: 12.4.1, linux_driver: 550.54.15, first_capability: 5.0, last_capability: 9.0, sources: doc}
- {cuda: 12.6.3, linux_driver: 560.35.05, first_capability: 5.0, last_capability: 9.0, sources: doc}

floors:
- {major: 12, linux_driver: 525.60.13, windows_driver: 527.41, sources: doc}
"""
DRIVERS = """# Drivers.

architectures:
- {architecture: Ampere, capabilities: 8.0 8.6, open_module: yes, sources: doc}
- {architecture: Hopper, capabilities: 9.0, open_module: yes, sources: doc}
"""
INDEXES = """# Indexes.

indexes:
- {name: pypi, kind: default, sources: doc}
"""
SOURCES = """# Sources.

sources:
- {name: doc, title: A document, kind: document, url: 'https://example.org', read: 2026-01-01, reliability: A}
"""
TORCH = """# Builds of torch.
package: torch

builds:
- {version: 2.5.0, variant: cu124, platform: linux-x86_64, index: pypi, cuda: 12.4, kernels: sm_80 sm_86 sm_90, \
pythons: 3.11 3.12, tags: manylinux_2_28_x86_64, requires: 'nvidia-nccl-cu12<3,>=2', sources: doc}
- {version: 2.6.0, variant: cpu, platform: windows-x86_64, index: pypi, sources: doc}
"""
GOOD = {
    "matrix.yaml": MATRIX,
    "toolkits.yaml": TOOLKITS,
    "drivers.yaml": DRIVERS,
    "indexes.yaml": INDEXES,
    "sources.yaml": SOURCES,
    "frameworks/torch.yaml": TORCH,
}


def plant(path: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return str(path)


def folder(path: Path, **changed: str) -> Folder:
    """The good folder, with some files' text replaced: `folder(tmp_path, torch=TORCH.replace(…))`."""
    names = {name.rsplit("/", 1)[-1].removesuffix(".yaml"): name for name in GOOD}
    return read_folder(plant(path, {**GOOD, **{names.get(key, f"{key}.yaml"): text for key, text in changed.items()}}))
