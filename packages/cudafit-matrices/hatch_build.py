"""Compiles the matrices of this checkout as the wheel of cudafit has them."""
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
            raise ValueError("a checkout of cudafit reads its matrices itself: build a wheel")
        top = Path(self.root).parents[1]
        sys.path.insert(0, str(top / "src"))
        from cudafit.matrix.compiled import compile_matrix
        from cudafit.matrix.layers import read_stack

        self.folder = tempfile.TemporaryDirectory()
        matrix, matrix_version = read_stack([str(top / "matrices")])
        compile_matrix(matrix, matrix_version, self.folder.name)
        build_data["force_include"][self.folder.name] = "cudafit_matrices/compiled"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.folder.cleanup()
