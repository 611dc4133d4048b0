"""The matrix as rows of a screen and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cudafit.model.matrix import CPU, EVIDENCE, WHEEL, Build, Matrix
from cudafit.model.record import to_plain
from cudafit.model.versions import natural_key
from cudafit.render.row import Row


def build_object(build: Build) -> dict[str, Any]:
    """A build as other programs read it: `platforms` is a list, so that rows may one day be joined.

    `kernels` is empty for a CPU build and null where they are not known.
    """
    value: dict[str, Any] = to_plain(build)
    kernels = [] if build.variant == CPU else value["kernels"]
    return {**value, "platforms": [build.platform], "kernels": kernels}


def builds_object(builds: Iterable[Build], version: str) -> dict[str, Any]:
    return {"version": version, "builds": [build_object(build) for build in builds]}


def coverage(matrix: Matrix, version: str) -> dict[str, Any]:
    """What is covered, by package, and when a source was last read."""
    packages = [
        {
            "name": name,
            "builds": len(builds),
            "first": _versions(builds)[0],
            "newest": _versions(builds)[-1],
            "variants": sorted({build.variant for build in builds}, key=natural_key),
            "unverified": sum(not build.verified for build in builds),
            "evidence": {kind: count for kind in EVIDENCE if (count := sum(b.evidence == kind for b in builds))},
        }
        for name, builds in sorted(matrix.builds.items())
    ]
    dates = [source.read for source in matrix.facts.sources if source.read]
    return {
        "version": version,
        "packages": packages,
        "rows": sum(len(builds) for builds in matrix.builds.values()),
        "read": max(dates, default=None),
        "facts": {name: len(rows) for name, rows in to_lists(matrix).items()},
    }


def to_lists(matrix: Matrix) -> Mapping[str, Sequence[Any]]:
    facts = matrix.facts
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


def coverage_rows(matrix: Matrix) -> list[Row]:
    told = coverage(matrix, "")
    rows = []
    for package in told["packages"]:
        weaker = ", ".join(f"{count} by {kind}" for kind, count in package["evidence"].items() if kind != WHEEL)
        doubt = f" · {weaker}" if weaker else ""
        text = f"{package['builds']} builds, {package['first']} to {package['newest']}{doubt}"
        rows.append(Row(package["name"], text, " ".join(package["variants"])))
    facts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told["facts"].items() if count)
    rows.append(Row("facts", facts))
    rows.append(Row("in all", f"{len(told['packages'])} packages, {told['rows']} builds, read {told['read']}"))
    return rows


def _versions(builds: Sequence[Build]) -> list[str]:
    return sorted({build.version for build in builds}, key=natural_key)
