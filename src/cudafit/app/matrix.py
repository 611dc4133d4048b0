"""What the matrix covers, and the builds that it has of a package."""

from collections.abc import Sequence

from cudafit.app.asked import WhichFacts
from cudafit.app.result import Result
from cudafit.errors import CudafitError, InputError
from cudafit.matrix.compiled import Compiled
from cudafit.matrix.load import open_matrix
from cudafit.model.matrix import SCHEMA, Build
from cudafit.model.record import to_plain
from cudafit.model.requirement import wanted
from cudafit.render.matrix_rows import builds_object, coverage, coverage_rows
from cudafit.render.matrix_sources import source_rows
from cudafit.render.matrix_table import kernel_rows, table_rows
from cudafit.render.row import Row
from cudafit.resolve.versions import admits
from cudafit.system.commands import command_text


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


def missing(files: tuple[str, ...], facts: WhichFacts) -> Result:
    """What the project in this folder, or what is named, asks for and the matrix does not cover."""
    from cudafit.app.declared import declared  # noqa: PLC0415 - what reads files, for this alone
    from cudafit.project.kinds import described  # noqa: PLC0415

    found = declared(files)
    if not found.wanted:
        raise InputError(
            f"{', '.join(files)} asks for nothing" if files else "no file here asks for anything",
            cause=[] if files else [f"looked for {described()} in this folder"],
            hint="name a file with `-r`",
        )
    compiled = open_matrix(facts.matrices, facts.pinned)
    names = {row.name: row for row in compiled.facts("names").names}
    asked = list({want.name: want for want in found.wanted}.values())
    lacking = [want for want in asked if want.name not in compiled.packages and want.name not in names]
    covered = [want.name for want in asked if want not in lacking]
    record = {
        "version": compiled.version,
        "files": found.files,
        "covered": covered,
        "missing": [{"name": want.name, "requirement": want.text, "origin": want.origin} for want in lacking],
    }
    rows = [Row(want.name, want.text, want.origin) for want in lacking]
    told = f"{len(covered)} of {len(asked)} that are asked for" + (f": {', '.join(covered)}" if covered else "")
    title = f"not covered by matrix {compiled.version}"
    return Result(SCHEMA, record, title, lambda: [*rows, Row("covered", told)], facts=compiled.told)


def builds_of(package: str, version: str | None, facts: WhichFacts, *, sources: bool = False) -> Result:
    """Those of all versions, or of one; raises CudafitError where there is none."""
    compiled = open_matrix(facts.matrices, facts.pinned)
    want = wanted(package)
    if want.specifier and version:
        raise InputError(f"`{package}` names a version, and `{version}` another one")
    version = version or _one_version(want.specifier)
    builds = compiled.builds(want.name)
    if not builds:
        raise _unknown(package, want.name, compiled)
    shown = [build for build in builds if _is_meant(build, version, want.specifier)]
    if not shown:
        what = f"{want.name} {version}" if version else want.text
        raise CudafitError(f"the matrix has no {what}; its newest is {builds[-1].version}")
    title = f"{want.name} {version or want.specifier}".strip() + f", matrix {compiled.version}"
    record = builds_object(shown, compiled.version)
    if not sources:
        return Result(SCHEMA, record, title, lambda: _table(shown), facts=compiled.told)
    named = {name for build in shown for name in build.sources}
    facts_read = compiled.facts("sources", "wheels")
    behind = {source.name: source for source in facts_read.sources if source.name in named}
    quoted = [one for one in facts_read.wheels if one.package == want.name]
    record |= {"sources": [to_plain(source) for source in behind.values()]}
    return Result(SCHEMA, record, title, lambda: source_rows(shown, behind, quoted), facts=compiled.told)


def _table(builds: Sequence[Build]) -> list[Row]:
    """Of one version also what exactly is compiled into it."""
    return table_rows(builds) + (kernel_rows(builds) if len({build.version for build in builds}) == 1 else [])


def _one_version(specifier: str) -> str | None:
    """`2.14` of `==2.14`, which here stands for all of 2.14."""
    alone = specifier.removeprefix("==").removesuffix(".*")
    return alone if specifier.startswith("==") and alone[:1].isdigit() and "," not in alone else None


def _is_meant(build: Build, version: str | None, specifier: str) -> bool:
    if version is not None:
        return f"{build.version}.".startswith(f"{version}.")
    return not specifier or admits(specifier, build.version)


def _unknown(package: str, name: str, compiled: Compiled) -> CudafitError:
    from difflib import get_close_matches  # noqa: PLC0415 - for this error alone

    meant = next((row.means for row in compiled.facts("names").names if row.name == name), ())
    near = [one for one in meant if one in compiled.packages] or get_close_matches(name, compiled.packages, n=1)
    hint = f"`cudafit matrix list` names the {len(compiled.packages)} that it has"
    if near:
        hint = " or ".join(f"`{command_text('cudafit', 'matrix', 'show', one)}`" for one in near)
    return CudafitError(f"the matrix has no package `{package}`", hint=hint)
