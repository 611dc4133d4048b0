"""Where a new environment is made: in a place that is empty, or in place of one that is kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cudafit.repair.engines.engine import Means
from cudafit.repair.transaction import Underway, transaction


@contextmanager
def new_environment(path: str, means: Means) -> Iterator[tuple[Underway, bool]]:
    """The change, and whether there is an environment to replace. Raises RolledBack where it did not succeed, and
    CudafitError before anything was done."""
    there = os.path.isdir(path)
    if there and not os.listdir(path):
        os.rmdir(path)
        there = False
    with transaction(path, reason="create", new=not there, say=means.say) as change:
        yield change, there
