"""Which files the dynamic linker would load, by walking what each library needs: nothing is loaded or run.

The order of search is that of ld.so(8): DT_RPATH of the library and of those that loaded it, unless it has a
DT_RUNPATH; LD_LIBRARY_PATH; DT_RUNPATH; the folders of ld.so.conf and the default ones. What is loaded already is
taken by its name. So a variable overrides a RUNPATH (TensorFlow, onnxruntime) and never an RPATH (torch).
"""

import os
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from cudafit.files import Files
from cudafit.model.elf import Elf, defines, read_elf
from cudafit.model.environment import NOT_LOOKED, Load, TooOld
from cudafit.model.versions import numbers

# Of the C library, which is there wherever a program runs.
_ALWAYS = re.compile(r"(libc|libm|libdl|librt|libpthread|libutil|libgcc_s|ld-linux[\w-]*)\.so\.\d+")
# What the driver brings; whether it is there is the business of the checks of the driver.
_DRIVERS = re.compile(r"(libcuda|libnvidia-[\w-]+)\.so\.1")
_MOST_FILES = 400
_CPLUSPLUS = "libstdc++.so.6"


class Loader:
    """The linker's view of one environment. `system` is None where this machine's folders do not count."""

    def __init__(
        self,
        files: Files,
        environ: Mapping[str, str],
        system: Sequence[tuple[str, str]] | None,
        interpreter: str | None,
    ) -> None:
        self.files = files
        self.system = system
        given = environ.get("LD_LIBRARY_PATH", "").split(":")
        self.variable = [folder for folder in given if folder.startswith("/")]
        self._elves: dict[str, Elf | None] = {}
        self.program = self._real(interpreter) if interpreter else None
        self.too_old: dict[tuple[str, str], TooOld] = {}

    def walk(
        self, roots: Sequence[str], loaded: Mapping[str, Load] | None = None, extra: Sequence[str] = ()
    ) -> dict[str, Load]:
        """What these libraries load, by soname. `loaded` is in the process already; `extra` are folders that the
        package itself loads from by full path where the linker found nothing."""
        found: dict[str, Load] = {}
        known = dict(loaded or {})
        waiting: deque[tuple[str, tuple[str, ...]]] = deque((root, (root,)) for root in roots if self.elf(root))
        seen = set(roots)
        while waiting and len(seen) < _MOST_FILES:
            path, chain = waiting.popleft()
            elf = self.elf(path)
            if elf is None:
                continue
            for soname in elf.needed:
                if soname in found or _ALWAYS.fullmatch(soname) or _DRIVERS.fullmatch(soname):
                    continue
                load = known.get(soname) or self.find(soname, path, chain) or self._preloaded(soname, path, extra)
                found[soname] = load
                if load.path and load.path not in seen and not soname.startswith(_CPLUSPLUS):
                    seen.add(load.path)
                    waiting.append((load.path, (load.path, *chain)))
            self._check_versions(elf, path, found.get(_CPLUSPLUS) or known.get(_CPLUSPLUS))
        return found

    def find(self, soname: str, path: str, chain: Sequence[str] = ()) -> Load | None:
        """Where the linker finds a name that the library at `path` asks for; None where it does not."""
        owner = self.elf(path)
        for folder, via in self._folders(owner, path, chain or (path,)):
            candidate = f"{folder}/{soname}"
            if self.files.is_file(candidate) and self._fits(candidate, owner):
                return Load(soname, candidate, path, via)
        return None

    def elf(self, path: str) -> Elf | None:
        if path not in self._elves:
            try:
                with self.files.mapped(path) as data:
                    self._elves[path] = read_elf(data)
            except (OSError, ValueError):
                self._elves[path] = None
        return self._elves[path]

    def defined(self, paths: Sequence[str], names: Collection[str]) -> frozenset[str] | None:
        """Which of these symbols the libraries have; None where one of them could not be asked."""
        found: set[str] = set()
        for path in paths:
            try:
                with self.files.mapped(path) as data:
                    told = defines(data, set(names) - found)
            except (OSError, ValueError):
                return None
            if told is None:
                return None
            found |= told
        return frozenset(found)

    def _folders(self, owner: Elf | None, path: str, chain: Sequence[str]) -> Iterator[tuple[str, str]]:
        if owner is None or not owner.runpath:
            for one in (*chain, *((self.program,) if self.program else ())):
                elf = self.elf(one)
                if elf and not elf.runpath:
                    yield from ((folder, "RPATH") for folder in self._expanded(elf.rpath, one))
        yield from ((folder, "LD_LIBRARY_PATH") for folder in self.variable)
        if owner:
            yield from ((folder, "RUNPATH") for folder in self._expanded(owner.runpath, path))
        yield from self.system or ()

    def _expanded(self, folders: Sequence[str], path: str) -> Iterator[str]:
        origin = os.path.dirname(path)
        for folder in folders:
            told = folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
            if told.startswith("/") and "$" not in told:
                yield os.path.normpath(told)

    def _fits(self, candidate: str, owner: Elf | None) -> bool:
        """The linker passes over a library for another processor."""
        elf = self.elf(candidate)
        return elf is None or owner is None or elf.machine == owner.machine

    def _preloaded(self, soname: str, path: str, extra: Sequence[str]) -> Load:
        for folder in extra:
            if self.files.is_file(f"{folder}/{soname}"):
                return Load(soname, f"{folder}/{soname}", path, "preload")
        return Load(soname, None, path, "nowhere" if self.system is not None else NOT_LOOKED)

    def _check_versions(self, elf: Elf, path: str, cplusplus: Load | None) -> None:
        library = self.elf(cplusplus.path) if cplusplus and cplusplus.path else None
        if library is None or not library.has_versions or cplusplus is None or cplusplus.path is None:
            return
        lacking = [
            version
            for version in elf.needs_versions
            if version.startswith("GLIBCXX_3") and version not in library.has_versions
        ]
        if lacking:
            newest = max(lacking, key=numbers)
            self.too_old.setdefault((cplusplus.path, newest), TooOld(cplusplus.path, newest, path, cplusplus.via))

    def _real(self, path: str) -> str:
        try:
            return self.files.real(path)
        except OSError:
            return path
