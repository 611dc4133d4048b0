"""What the matrix covers, and the builds that it has of a package."""

from cudafit.app.asked import WhichFacts
from cudafit.app.result import Result
from cudafit.errors import CudafitError
from cudafit.matrix.load import open_matrix
from cudafit.model.matrix import SCHEMA
from cudafit.render.matrix_rows import build_rows, builds_object, coverage, coverage_rows
from cudafit.render.row import Row


def covered(facts: WhichFacts) -> Result:
    """All of it, and how fresh it is."""
    compiled = open_matrix(facts.matrices, facts.pinned)
    matrix = compiled.matrix()
    record = coverage(matrix, compiled.version)
    ignored = tuple(text for text in compiled.ignored if text not in compiled.told)
    return Result(
        SCHEMA,
        {**record, "told": compiled.told, "ignored": compiled.ignored},
        f"matrix {compiled.version}",
        lambda: [*coverage_rows(matrix), *(Row("ignored", text) for text in ignored)],
        facts=compiled.told,
    )


def builds_of(package: str, version: str | None, facts: WhichFacts) -> Result:
    """Those of all versions, or of one; raises CudafitError where there is none."""
    compiled = open_matrix(facts.matrices, facts.pinned)
    name = package.lower().replace("_", "-")
    builds = compiled.builds(name)
    if not builds:
        raise CudafitError(
            f"the matrix has no package `{package}`",
            hint=f"`cudafit matrix list` names the {len(compiled.packages)} that it has",
        )
    shown = [build for build in builds if version is None or f"{build.version}.".startswith(f"{version}.")]
    if not shown:
        raise CudafitError(f"the matrix has no {name} {version}; its newest is {builds[-1].version}")
    title = f"{name} {version or ''}".strip() + f", matrix {compiled.version}"
    return Result(SCHEMA, builds_object(shown, compiled.version), title, lambda: build_rows(shown), facts=compiled.told)
