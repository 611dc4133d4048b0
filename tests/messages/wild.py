"""`make logs-wild FOLDER=...`: each file of a folder of logs without GPU trouble, of which nothing is to be named."""

import sys
from pathlib import Path

from tests.messages import meant

_SHOWN = 160


def main(folder: Path) -> int:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    named = 0
    for path in paths:
        found = meant(path.read_bytes())
        for one in found.matches:
            sys.stdout.write(f"{path.name}: {one.id}{' (harmless)' * one.harmless}: {one.text[:_SHOWN]}\n")
        named += bool(found.matches)
    sys.stdout.write(f"{named} of {len(paths)} logs named something\n")
    return 1 if named else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
