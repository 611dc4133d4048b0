"""`make machines`: take the snapshots of the described machines anew."""

import tempfile
from pathlib import Path

from tests.machines import FOLDER, NAMES, snapshot_text

for name in NAMES:
    with tempfile.TemporaryDirectory() as folder:
        (FOLDER / f"{name}.json").write_text(snapshot_text(name, Path(folder)), encoding="utf-8")
