"""The distributions of an environment by their metadata folders, and the packages that conda wrote down."""

import json
import re
from collections.abc import Iterator, Sequence

from cudafit.env.reader import Reader
from cudafit.model.environment import CondaPackage, Distribution
from cudafit.model.requirement import normalised
from cudafit.model.versions import is_version
from cudafit.system.secrets import redacted

_MOST = 5000
_CHANNEL_LIMIT = 1 << 12
_DEPENDS_LIMIT = 1 << 16


def read_distributions(reader: Reader, places: Sequence[str]) -> Iterator[Distribution]:
    count = 0
    for place in places:
        for name in reader.names(place):
            if not name.endswith((".dist-info", ".egg-info")) or count >= _MOST:
                continue
            count += 1
            if (found := _distribution(reader, place, name)) is not None:
                yield found
    if count >= _MOST:
        reader.note(f"only the first {_MOST} distributions were read")


def _distribution(reader: Reader, place: str, folder: str) -> Distribution | None:
    metadata = f"{place}/{folder}"
    wheel = folder.endswith(".dist-info")
    stem = re.sub(r"\.(dist|egg)-info$", "", folder)
    name, _, version = stem.partition("-")
    version = re.sub(r"-py\d.*$", "", version)
    inside = "METADATA" if wheel else "PKG-INFO"
    path = f"{metadata}/{inside}" if reader.files.is_dir(metadata) else metadata
    text = reader.headers(path)
    headers = text or ""
    if wheel and text is None and not reader.files.exists(path):
        reader.note(f"{metadata} has no METADATA")
    told = re.search(r"^Name:\s*(\S+)", headers, re.M)
    stated = re.search(r"^Version:\s*(\S+)", headers, re.M)
    if not (told or name):
        return None
    version = stated[1] if stated else version
    if version and not is_version(version):
        reader.note(f"{path} tells a version that is none")
        version = ""
    origin, editable = _origin(reader, f"{metadata}/direct_url.json") if wheel else (None, False)
    return Distribution(
        name=normalised(told[1] if told else name),
        version=version or None,
        place=place,
        metadata=metadata,
        installer=(reader.small(f"{metadata}/INSTALLER") or "").strip() or None if wheel else None,
        origin=origin,
        requires=tuple(text for told in re.findall(r"^Requires-Dist:(.+)$", headers, re.M) if (text := told.strip())),
        tags=tuple(re.findall(r"^Tag:\s*(\S+)", reader.small(f"{metadata}/WHEEL") or "", re.M)) if wheel else (),
        files=reader.record(metadata)[0] if wheel else None,
        editable=editable,
    )


def _origin(reader: Reader, path: str) -> tuple[str | None, bool]:
    text = reader.small(path)
    if not text:
        return None, False
    try:
        value = json.loads(text)
        editable = bool(value.get("dir_info", {}).get("editable"))
        return redacted(str(value["url"])), editable
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        reader.note(f"{path} is not as it should be")
        return None, False


def read_conda_packages(reader: Reader, prefix: str) -> Iterator[CondaPackage]:
    folder = f"{prefix}/conda-meta"
    names = reader.names(folder)
    # Only where a package asks for a capability is this one there: else no record is read for it.
    with_arch = any(re.match(r"cuda-arch-\d", name) for name in names)
    for name in names:
        if not name.endswith(".json"):
            continue
        # The file name tells name, version and build.
        package, _, rest = name.removesuffix(".json").rpartition("-")
        package, _, version = package.rpartition("-")
        if not (package and version and rest):
            reader.note(f"{folder}/{name} is not called after a package")
            continue
        path = f"{folder}/{name}"
        yield CondaPackage(package, version, rest, _channel(reader, path), _arch(reader, path) if with_arch else None)


def _arch(reader: Reader, path: str) -> str | None:
    """Of `cuda-arch >=8.0` among what it depends on, which stands before the list of its files (CEP 46)."""
    match = re.search(
        r'"cuda-arch\s+(?:[=>]=?\s*)?(\d{1,3}\.\d{1,2})(?![\d.])', reader.head(path, _DEPENDS_LIMIT) or ""
    )
    return match[1] if match else None


def _channel(reader: Reader, path: str) -> str | None:
    """Its name, `conda-forge`: the address may hold a token. Keys are in their order, so it stands early."""
    head = reader.head(path, _CHANNEL_LIMIT) or ""
    match = re.search(r'"channel":\s*"([^"\\\n]{1,300})"', head)
    parts = [part for part in match[1].split("://")[-1].split("/") if part] if match else []
    if parts and (parts[-1] == "noarch" or re.fullmatch(r"(linux|osx|win)-\w+", parts[-1])):
        parts.pop()
    return parts[-1] if parts else None
