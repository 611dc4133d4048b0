"""Compiles the matrices to JSON when a wheel is built, so that no YAML is read where cudafit runs; and writes the
manual pages, which follow from the commands."""
# ruff: noqa: PLC0415, ARG002 - imports wait for the path to be set; hatchling sets the signatures

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileMatrices(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # a checkout compiles on first use
        top = Path(self.root)
        sys.path.insert(0, str(top / "src"))
        from cudafit.matrix.compiled import compile_matrix
        from cudafit.matrix.layers import read_stack

        self.folder = tempfile.TemporaryDirectory()
        matrix, matrix_version = read_stack([str(top / "matrices")])
        compile_matrix(matrix, matrix_version, self.folder.name)
        from cudafit.matrix.messages import COMPILED, compiled_text, read_rules

        rules = compiled_text(read_rules(str(top / "matrices")))
        (Path(self.folder.name) / COMPILED).write_text(rules, encoding="utf-8")
        self.man = tempfile.TemporaryDirectory()
        sys.path.insert(0, str(top / "packages" / "man"))
        from pages import pages  # type: ignore[import-not-found, unused-ignore]

        for name, text in pages():
            (Path(self.man.name) / name).write_text(text, encoding="utf-8")
            build_data["shared_data"][str(Path(self.man.name) / name)] = f"share/man/man1/{name}"
        build_data["force_include"][self.folder.name] = "cudafit/_shipped/compiled"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
            self.man.cleanup()
