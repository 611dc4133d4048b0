"""What a poetry.lock or a pdm.lock installs: by the groups and the markers that each of its packages has."""

from collections.abc import Collection, Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.requirement import applies, normalised, wanted
from cudafit.system.toml import TomlError, read_toml

MAIN = frozenset({"main", "default"})  # Poetry's word, and PDM's


@frozen
class Locked:
    """One package of a lock. `markers` are told for all of its groups at once, or for each."""

    name: str
    version: str
    groups: frozenset[str]
    markers: Mapping[str, str]
    optional: bool


def locked_in(text: str) -> list[Locked]:
    """Those that come from an index. Raises InputError for what is no such lock."""
    try:
        rows = read_toml(text).get("package", [])
        return [one for row in rows if (one := _locked(row))]
    except (TomlError, AttributeError, TypeError) as error:
        raise InputError(f"the lock cannot be read: {error}") from None


def installed_by(
    rows: Collection[Locked], groups: Collection[str], extras: Collection[str], platform: str, python: str
) -> dict[str, str]:
    """By name, the version that comes with these groups and extras."""
    return {one.name: one.version for one in rows if _comes(one, {*groups}, extras, platform, python)}


def _locked(row: Mapping[str, Any]) -> Locked | None:
    source = row.get("source")
    elsewhere = any(row.get(key) for key in ("path", "git", "url"))
    if elsewhere or (isinstance(source, dict) and source.get("type") in ("directory", "git", "file", "url")):
        return None
    told = row.get("markers", row.get("marker", ""))
    if not isinstance(row.get("groups"), list):
        raise InputError(
            "the lock does not tell the groups of its packages, as older Poetry and PDM wrote it",
            hint="write it anew with Poetry 2.0 or PDM 2.8 or newer: `poetry lock` or `pdm lock`",
        )
    groups = frozenset(str(one) for one in row["groups"])
    markers = dict(told) if isinstance(told, dict) else dict.fromkeys(groups, str(told))
    return Locked(normalised(row["name"]), str(row["version"]), groups, markers, bool(row.get("optional")))


def _comes(one: Locked, groups: set[str], extras: Collection[str], platform: str, python: str) -> bool:
    return any(_holds(one.markers.get(group, ""), extras, platform, python) for group in one.groups & groups)


def _holds(marker: str, extras: Collection[str], platform: str, python: str) -> bool:
    if not marker:
        return True
    told = wanted(f"a ; {marker}")
    return any(applies(told, platform, python, extra) for extra in extras or ("",))
