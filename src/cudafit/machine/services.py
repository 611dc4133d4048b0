"""NVIDIA's services that systemd starts by itself, by the links that `systemctl enable` makes."""

from cudafit.machine.context import Context

PROBE = "services"
_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_MOST = 500


def read_services(context: Context) -> tuple[str, ...] | None:
    """None where there are no folders of systemd: another system of services, or a container."""
    found: list[str] = []
    seen: set[str] = set()
    for folder in _FOLDERS:
        if not context.files.is_dir(folder) or (real := context.files.real(folder)) in seen:
            continue
        seen.add(real)
        wanting = [name for name in context.names(PROBE, folder) if name.endswith((".wants", ".requires"))]
        for name in wanting[:_MOST]:
            found += context.names(PROBE, f"{folder}/{name}", "nvidia-*.service")
    return tuple(sorted(set(found))) if seen else None
