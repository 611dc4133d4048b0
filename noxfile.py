"""The tests on every Python that is here, and with the oldest versions of what cudafit needs.

`make pythons` and `make lowest` call it. A Python that is not on PATH is skipped and named; where CI is set, that is an
error. None is downloaded.
"""

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.sessions = ["tests"]

# What is promised, in the order of the classifiers.
PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
FAST = ("-n", "auto", "--dist", "loadgroup", "-m", "not slow and not online")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The fast part of the tests; what follows `--` goes to pytest in its place."""
    session.install("--editable", ".[test]")
    session.run("pytest", *(session.posargs or FAST))


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The same with the oldest version of each requirement that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", "--editable", ".[test]")
    session.run("pytest", *(session.posargs or FAST))
