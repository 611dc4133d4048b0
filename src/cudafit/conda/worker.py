"""py-rattler, which is spoken to here and nowhere else: solves, and installs into a prefix.

It runs in a process of its own (`solver.ask`): its worker threads may take a process with them when that one
ends, and what they have answered by then is already read. The request is a file of JSON, the answer one line of it.

py-rattler checks hashes only of what it downloads itself, and trusts what lies in its cache. So packages do not come
from a cache: each archive is read whole and checked here, unpacked into a folder of this change alone, and linked from
there; nothing is linked before all of them are right, and no file of a prefix shares its content with a cache.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cudafit.system.reading import blocks, read_text
from cudafit.system.text import harmless

TIMEOUT_S = 900
REQUEST = "CUDAFIT_CONDA_REQUEST"
_CONNECT_S = 8.0
_AT_ONCE = 8
_REQUEST_LIMIT = 1 << 30  # what cudafit itself asks
_INDEX_LIMIT = 16 << 20


class Refused(Exception):  # noqa: N818 - it is told, not raised to a caller
    """What went wrong, as the asking process tells it: `hash`, `archive`, `channel`, `records`."""

    def __init__(self, kind: str, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.kind = kind


def main(path: str) -> None:
    """One line of JSON, and an end that waits for no thread."""
    request = json.loads(read_text(path, _REQUEST_LIMIT))
    os.unlink(path)  # its addresses may hold a password
    work = {"solve": _solve_all, "list": _listed, "install": _install}[request["do"]]
    try:
        answer = work(request)
    except Refused as error:
        answer = {"error": f"{error}", "kind": error.kind}
    except OSError as error:
        answer = {"error": f"{error.strerror or error}: {error.filename}", "kind": "disk"}
    except Exception as error:
        answer = {"error": f"{error}" or type(error).__name__, "kind": "rattler"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


# Solving.


def _solve_all(request: dict[str, Any]) -> dict[str, Any]:
    solved: list[list[dict[str, Any]]] = []
    for number, question in enumerate(request["questions"]):
        try:
            solved.append(_solved(question))
        except Refused as error:
            return {"error": f"{error}", "kind": error.kind, "number": number}
        except Exception as error:
            return {"error": f"{error}" or type(error).__name__, "kind": "rattler", "number": number}
    return {"solved": solved}


def _listed(request: dict[str, Any]) -> dict[str, Any]:
    """Versions and builds of some packages, as their channels list them."""
    import rattler  # noqa: PLC0415

    for channel in request["channels"]:
        check_reachable(channel)
    gateway = rattler.Gateway(client=rattler.Client.default_client())
    platforms = [request["platform"], "noarch"]
    found = asyncio.run(gateway.query(request["channels"], platforms, request["names"], recursive=False))
    told: dict[str, list[list[str]]] = {name: [] for name in request["names"]}
    for record in (one for part in found for one in part):
        told.setdefault(record.name.normalized, []).append([str(record.version), str(record.build)])
    return {"listed": told}


def _solved(question: dict[str, Any]) -> list[dict[str, Any]]:
    import rattler  # noqa: PLC0415

    for channel in question["channels"]:
        check_reachable(channel)
    virtual = [
        rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0"))
        for name, version in question["virtual"]
    ]
    installed = _installed(question["prefix"]) if question.get("prefix") else {}
    free = set(question.get("free", ()))
    records = asyncio.run(
        rattler.solve(
            sources=question["channels"],
            gateway=rattler.Gateway(client=rattler.Client.default_client()),
            specs=[rattler.MatchSpec(text) for text in question["specs"]],
            constraints=[rattler.MatchSpec(text) for text in question.get("constraints", ())],
            locked_packages=[record for name, record in installed.items() if name not in free],
            platforms=[question["platform"], "noarch"],
            virtual_packages=virtual,
            timeout=timedelta(seconds=TIMEOUT_S),
        )
    )
    return [_row(record) for record in records]


def check_reachable(address: str) -> None:
    """A host that does not take the connection is named at once, and not after many attempts."""
    parts = urlsplit(address)
    proxies = [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]
    if parts.scheme == "file":
        path = unquote(parts.path)
        if not os.path.isdir(path):
            raise Refused("channel", f"there is no folder `{path}`")
    if parts.scheme not in ("http", "https") or not parts.hostname or proxies:
        return
    import socket  # noqa: PLC0415

    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise Refused("channel", f"no connection to {parts.hostname}, port {port}: {error}") from None


def _row(record: Any) -> dict[str, Any]:
    stamp = record.timestamp
    when = int(stamp.replace(tzinfo=stamp.tzinfo or timezone.utc).timestamp() * 1000) if stamp else None
    noarch = record.noarch
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build": str(record.build),
        "build_number": record.build_number,
        "subdir": record.subdir,
        "url": record.url,
        "file_name": record.file_name,
        "channel": str(record.channel),
        "sha256": record.sha256.hex() if record.sha256 else None,
        "md5": record.md5.hex() if record.md5 else None,
        "size": record.size,
        "depends": list(record.depends),
        "constrains": list(record.constrains),
        "license": record.license,
        "timestamp": when,
        "noarch": ("python" if noarch.python else "generic") if noarch and not noarch.none else None,
        "site_packages": record.python_site_packages_path,
    }


def _installed(prefix: str) -> dict[str, Any]:
    """What conda-meta tells, by name."""
    import rattler  # noqa: PLC0415

    found = {}
    folder = os.path.join(prefix, "conda-meta")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".json"):
            try:
                record = rattler.PrefixRecord.from_path(Path(folder, name))
            except Exception as error:
                raise Refused("records", f"{os.path.join(folder, name)}: {error}") from None
            found[record.name.normalized] = record
    return found


# Installing.


def _install(request: dict[str, Any]) -> dict[str, Any]:
    import rattler  # noqa: PLC0415

    prefix, packages = request["prefix"], os.path.join(request["work"], "packages")
    there = os.path.isdir(os.path.join(prefix, "conda-meta"))
    installed = _installed(prefix) if there else {}
    kept = [installed[name] for name in request["keep"]]
    again = {name for name in request["reinstall"] if name in installed}
    rows = [*request["records"], *(_row(installed[name]) for name in request["reinstall"])]
    os.makedirs(packages, exist_ok=True)
    archives = asyncio.run(_archives(rows, request["store"], request["work"], shown=request["shown"]))
    coming = [_unpacked(row, archive, packages) for row, archive in zip(rows, archives, strict=True)]
    names = {record.name.normalized for record in coming}
    asyncio.run(
        rattler.install(
            [*(record for record in kept if record.name.normalized not in names), *coming],
            target_prefix=prefix,
            package_cache=rattler.PackageCache(packages),
            installed_packages=list(installed.values()),
            reinstall_packages=again,
            platform=rattler.Subdir(request["platform"]),
            execute_link_scripts=False,
            show_progress=request["shown"],
        )
    )
    return {"installed": [_row(record) for record in coming], "scripts": list(_scripts(coming, packages))}


async def _archives(rows: Sequence[dict[str, Any]], store: str, work: str, *, shown: bool) -> list[str]:
    """The archive of each, checked. Raises Refused."""
    import rattler  # noqa: PLC0415

    client = rattler.Client.default_client()
    room = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def one(row: dict[str, Any]) -> str:
        nonlocal done
        async with room:
            path = await _archive(row, store, work, client)
        done += 1
        if shown:
            sys.stderr.write(f"\r\033[Kchecked {done} of {len(rows)} packages: {harmless(row['file_name'])}")
            sys.stderr.flush()
        return path

    # Not gathered with an early end: the first error is told when no other download is under way any more.
    found = await asyncio.gather(*map(one, rows), return_exceptions=True)
    if shown:
        sys.stderr.write("\r\033[K")
    for error in found:
        if isinstance(error, BaseException):
            raise error
    return [path for path in found if isinstance(path, str)]


async def _archive(row: dict[str, Any], store: str, work: str, client: Any) -> str:
    """From the folder that it lies in, from the store of archives, or from its channel."""
    from rattler.package_streaming import download_to_path  # noqa: PLC0415

    url, name = row["url"], row["file_name"]
    parts = urlsplit(url)
    if not (row["sha256"] or row["md5"]):
        raise Refused("hash", f"nothing tells the hash of `{name}`")
    if parts.scheme == "file":
        path = unquote(parts.path)
        if not os.path.isfile(path):
            raise Refused("channel", f"there is no file `{path}`")
        await asyncio.to_thread(_check, path, row)
        return path
    kept = os.path.join(store, f"{row['sha256'] or row['md5']}-{os.path.basename(name)}")
    with contextlib.suppress(Refused, OSError):
        await asyncio.to_thread(_check, kept, row)
        return kept
    check_reachable(url)
    partial = os.path.join(work, os.path.basename(name))
    try:
        await download_to_path(client, url, Path(partial))
    except Exception as error:
        raise Refused("channel", f"`{name}`: {error}") from None
    await asyncio.to_thread(_check, partial, row)
    try:
        os.makedirs(store, mode=0o700, exist_ok=True)
        os.replace(partial, kept)
    except OSError:
        return partial  # the store is on another file system, or full: it only saves the next download
    return kept


def _check(path: str, row: dict[str, Any]) -> None:
    kind = "sha256" if row["sha256"] else "md5"
    digest = hashlib.new(kind, usedforsecurity=kind == "sha256")
    for block in blocks(path):
        digest.update(block)
    if digest.hexdigest() != row[kind]:
        raise Refused(
            "hash", f"`{row['file_name']}` has {kind} {digest.hexdigest()}", f"it should have {kind} {row[kind]}"
        )


def _unpacked(row: dict[str, Any], archive: str, packages: str) -> Any:
    """Where py-rattler looks for a package, and its record."""
    import rattler  # noqa: PLC0415
    from rattler.package_streaming import extract  # noqa: PLC0415

    stem = row["file_name"].removesuffix(".tar.bz2").removesuffix(".conda")
    folder = os.path.join(packages, os.path.basename(stem))
    try:
        extract(Path(archive), Path(folder))
        index = json.loads(read_text(os.path.join(folder, "info", "index.json"), _INDEX_LIMIT))
    except Exception as error:
        raise Refused("archive", f"`{row['file_name']}` cannot be unpacked: {error}") from None
    if row["build_number"] is None:  # a lock tells no more than where it lies and its hash
        row = {**row, **_from_index(index, os.path.getsize(archive))}
    elif (index.get("name"), index.get("version"), index.get("build")) != (row["name"], row["version"], row["build"]):
        raise Refused("archive", f"`{row['file_name']}` holds {index.get('name')} {index.get('version')}")
    package = rattler.PackageRecord(
        row["name"],
        row["version"],
        rattler.BuildString(row["build"]),
        row["build_number"],
        row["subdir"],
        noarch=rattler.NoArchType(row["noarch"]) if row["noarch"] else None,
        depends=list(row["depends"]),
        constrains=list(row["constrains"]),
        size=row["size"],
        license=row["license"],
        python_site_packages_path=row["site_packages"],
        sha256=bytes.fromhex(row["sha256"]) if row["sha256"] else None,
        md5=bytes.fromhex(row["md5"]) if row["md5"] else None,
    )
    if row["timestamp"] is not None:
        package.timestamp = datetime.fromtimestamp(row["timestamp"] / 1000, timezone.utc)
    return rattler.RepoDataRecord(package, row["file_name"], row["url"], row["channel"])


def _from_index(index: dict[str, Any], size: int) -> dict[str, Any]:
    noarch = index.get("noarch")
    return {
        "name": index["name"],
        "version": index["version"],
        "build": index["build"],
        "build_number": index.get("build_number", 0),
        "subdir": index.get("subdir") or ("noarch" if noarch else ""),
        "depends": index.get("depends", []),
        "constrains": index.get("constrains", []),
        "license": index.get("license"),
        "timestamp": index.get("timestamp"),
        "noarch": noarch if noarch in ("python", "generic") else None,
        "site_packages": index.get("python_site_packages_path"),
        "size": size,
    }


def _scripts(records: Sequence[Any], packages: str) -> Iterator[str]:
    """Packages with a script of their own for the end of an installation; it is not run."""
    for record in records:
        name = record.name.normalized
        folder = os.path.join(packages, record.file_name.removesuffix(".tar.bz2").removesuffix(".conda"))
        if os.path.lexists(os.path.join(folder, "bin", f".{name}-post-link.sh")):
            yield name


if __name__ == "__main__":
    main(os.environ[REQUEST])
