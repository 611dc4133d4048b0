"""No two rows describe the same thing."""

from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Flaw, Folder

NAME = "unique"

# List -> the fields that say which thing a row is about.
KEYS = {
    BUILDS: ("name", "version", "variant", "platform", "index"),
    "toolkits": ("cuda",),
    "floors": ("major",),
    "forward": ("rule",),
    "drivers": ("branch",),
    "architectures": ("architecture",),
    "libraries": ("package", "version", "platforms"),
    "places": ("place",),
    "names": ("name", "kind"),
    "agreements": ("package", "versions", "other", "platforms"),
    "spares": ("package",),
    "gpus": ("name",),
    "pci_gpus": ("device",),
    "bench_speeds": ("test", "dtype"),
    "bench_errors": ("test", "dtype"),
    "indexes": ("name",),
    "conda_rules": ("rule",),
    "conda_builds": ("feedstock", "version", "cuda", "platform"),
    "conda_names": ("package",),
    "wheels": ("package", "version", "platform", "index"),
    "sources": ("name",),
}


def check(folder: Folder) -> Iterator[Flaw]:
    for section, names in KEYS.items():
        seen: dict[tuple[object, ...], str] = {}
        for entry in folder.entries(section):
            key = tuple(getattr(entry.record, name) for name in names)
            if key in seen:
                yield entry.flaw(NAME, f"`{' '.join(map(str, key))}` stands already at {seen[key]}")
            else:
                seen[key] = f"{entry.file}:{entry.line}"
