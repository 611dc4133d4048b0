"""What is in an environment, read from its files: nothing is imported, nothing is run, and every read has a limit.

What lies there is untrusted: a METADATA of a gigabyte, a link in a circle or a name with `..` in it is noted, and the
rest is read.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from cudafit.env.conda_side import CondaSide
from cudafit.env.extensions import read_extensions
from cudafit.env.loader import Loader
from cudafit.env.loads import nvidia_folders, read_loads, torch_files
from cudafit.files import Files
from cudafit.model.environment import (
    CONDA,
    VENV,
    CondaPackage,
    Distribution,
    Environment,
    SharedLibrary,
    TensorflowBuild,
    TorchBuild,
)
from cudafit.model.frameworks import TENSORFLOW, TORCH
from cudafit.model.kernel_list import kernel_list
from cudafit.model.literals import assignments
from cudafit.model.located import Located
from cudafit.model.machine import Problem
from cudafit.model.requirement import normalised
from cudafit.model.versions import is_version
from cudafit.system.secrets import redacted

PROBE = "inventory"
_METADATA_LIMIT = 1 << 18
_SOURCE_LIMIT = 1 << 18
_LONGEST = 40  # of a number that a package tells of itself
_MOST = 5000  # distributions
_MOST_PLACES = 100  # folders of sys.path, .pth files of one, lines of one
_PTH_LIMIT = 1 << 16
_CHANNEL_LIMIT = 1 << 12
_NVIDIA_LIBRARY = re.compile(r"(lib[A-Za-z_]+\.so\.\d+)(\.\d+)*|([a-z_]+64_\d+)\.dll", re.I)


def read_inventory(
    files: Files,
    located: Located,
    environ: Mapping[str, str] | None = None,
    system: Sequence[tuple[str, str]] | None = None,
) -> Environment:
    """The environment as it lies there; what cannot be read is in its `problems`.

    `system` are the folders in which the linker looks by itself, each with who says so; None: they are not known.
    """
    return _Inventory(files, located, environ or {}, system).read()


class _Inventory:
    def __init__(
        self,
        files: Files,
        located: Located,
        environ: Mapping[str, str],
        system: Sequence[tuple[str, str]] | None,
    ) -> None:
        self.files = files
        self.system = system
        self.located = located
        self.environ = environ
        self.problems: list[Problem] = []

    def read(self) -> Environment:
        prefix = self.located.prefix
        settings = self._settings(f"{prefix}/pyvenv.cfg") if self.located.kind == VENV else {}
        conda = tuple(self._conda_packages()) if self.located.kind == CONDA else ()
        places = list(dict.fromkeys(self._places(settings)))
        distributions = tuple(self._distributions(places))
        python = settings.get("version_info") or settings.get("version") or self._python(conda, places)
        interpreter = self.located.interpreter or self._interpreter()
        program = self._real(interpreter) if interpreter and self.files.exists(interpreter) else None
        conda_side = CondaSide(self.files, prefix, conda, distributions)
        torch, tensorflow = self._torch(places), self._tensorflow(places, distributions)
        loader = Loader(self.files, self.environ, self.system, interpreter)
        loads = read_loads(self.files, loader, places, tensorflow)
        loaded = {load.soname: load for load in loads["torch"]} if "torch" in loads else None
        parts, folders = torch_files(self.files, places), nvidia_folders(self.files, places)
        extensions = tuple(read_extensions(self.files, loader, distributions, loaded, parts, folders))
        return Environment(
            path=prefix,
            kind=self.located.kind,
            python=re.sub(r"^(\d+(\.\d+)*).*", r"\1", python) if python else None,
            interpreter=interpreter,
            program=program,
            header=self._header(program, python) if program else None,
            compiler=self._compiler() if self.located.kind == CONDA else None,
            places=tuple(places),
            distributions=distributions,
            conda=conda,
            doubled=tuple(conda_side.doubled()),
            damaged=tuple(conda_side.damaged()),
            torch=torch,
            tensorflow=tensorflow,
            loads=loads,
            extensions=extensions,
            too_old=tuple(loader.too_old.values()),
            libraries=tuple(self._libraries(places)),
            companions=self._companions(places),
            bitsandbytes=self._bitsandbytes(places),
            bitsandbytes_falls_back=self._bitsandbytes_falls_back(places),
            xformers_cuda=self._xformers(places),
            libdevice=self._libdevice(places),
            openmp=tuple(self._openmp(places)),
            accelerate_cpu=self._accelerate(),
            system_site=settings.get("include-system-site-packages", "").lower() == "true",
            base=settings.get("home"),
            uv="uv" in settings,
            found_by=self.located.found_by,
            problems=(*self.problems, *conda_side.problems),
        )

    # Where things lie.

    def _settings(self, path: str) -> dict[str, str]:
        text = self._text(path, _METADATA_LIMIT) or ""
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        return {key.strip().lower(): value.strip() for key, _, value in pairs}

    def _places(self, settings: Mapping[str, str]) -> Iterator[str]:
        """sys.path below the interpreter, in its order.

        PYTHONPATH; then a venv's own folder before the user's and the base's, outside of a venv the user's first; after
        each folder what its .pth files add. Source: the Python documentation of the module site.
        """
        seen: set[str] = set()
        for place, adds in self._candidates(settings):
            for one in (place, *(self._added(place) if adds else ())):
                if (real := self._real(one)) not in seen and len(seen) < _MOST_PLACES:
                    seen.add(real)
                    yield one

    def _candidates(self, settings: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
        """Each folder, and whether Python looks for .pth files in it."""
        for entry in self.environ.get("PYTHONPATH", "").split(":"):
            if entry.startswith("/") and self.files.is_dir(entry):
                yield entry.rstrip("/"), False
        own = [(place, True) for place in self._own_places(self.located.prefix)]
        user = [(place, True) for place in self._user_places([place for place, _ in own])]
        if self.located.kind != VENV:
            yield from (*user, *own)
            return
        yield from own
        home = settings.get("home", "")
        if settings.get("include-system-site-packages", "").lower() == "true":
            yield from user
            if home.startswith("/") and (match := re.search(r"/(python3\.\d+t?)/", f"{own[0][0] if own else ''}/")):
                base = home.rstrip("/").removesuffix("/bin") or "/usr"
                names = (match[1], "python3")  # Debian's packages lie in lib/python3
                for place in self._own_places(base):
                    if place.rpartition("/")[0].rpartition("/")[2] in names:
                        yield place, True

    def _user_places(self, own: list[str]) -> Iterator[str]:
        home = self.environ.get("HOME", "")
        if not home.startswith("/") or self.environ.get("PYTHONNOUSERSITE"):
            return
        for place in own:
            version = re.search(r"/python(3\.\d+)t?/", place + "/")
            user = f"{home}/.local/lib/python{version[1]}/site-packages" if version else ""
            if user and self.files.is_dir(user):
                yield user
                return

    def _added(self, place: str) -> Iterator[str]:
        """The folders that a place's .pth files name; their lines that import something are not run."""
        for name in [name for name in self._names(place) if name.endswith(".pth")][:_MOST_PLACES]:
            for line in (self._text(f"{place}/{name}", _PTH_LIMIT) or "").splitlines()[:_MOST_PLACES]:
                text = line.strip()
                if not text or text.startswith(("#", "import ", "import\t")) or "\0" in text:
                    continue
                path = os.path.normpath(os.path.join(place, text))
                if self.files.is_dir(path):
                    yield path

    def _own_places(self, prefix: str) -> Iterator[str]:
        if self.files.is_dir(f"{prefix}/Lib/site-packages"):
            yield f"{prefix}/Lib/site-packages"
        seen: set[str] = set()
        for library in ("lib", "lib64"):
            for name in self._names(f"{prefix}/{library}"):
                if not re.fullmatch(r"python3(\.\d+t?)?", name):
                    continue
                for folder in ("site-packages", "dist-packages"):
                    place = f"{prefix}/{library}/{name}/{folder}"
                    if self.files.is_dir(place) and (real := self._real(place)) not in seen:
                        seen.add(real)
                        yield place
        if prefix == "/usr":
            for name in self._names("/usr/local/lib"):
                place = f"/usr/local/lib/{name}/dist-packages"
                if name.startswith("python3") and self.files.is_dir(place):
                    yield place

    def _interpreter(self) -> str | None:
        prefix = self.located.prefix
        for name in ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe"):
            path = f"{prefix}/{name}"
            if self.files.exists(path):
                return path
            if (target := self.files.link_target(path)) is not None:
                self.problems.append(Problem(PROBE, f"{path} is a broken link to {target}"))
                return path
        return None

    def _header(self, program: str, python: str | None) -> bool | None:
        """Whether Python.h lies where the interpreter's own sysconfig would say; None where that cannot be told."""
        named = re.search(r"/python(3\.\d+t?)$", program)
        version = named[1] if named else ".".join((python or "").split(".")[:2])
        prefix, _, _ = program.rpartition("/bin/")
        if not version or "/bin/" not in program:
            return None
        return self.files.is_file(f"{prefix}/include/python{version}/Python.h")

    def _compiler(self) -> str | None:
        """conda's own: its activation puts it into CC, which is not set where the environment is not active."""
        names = [*(f"{processor}-conda-linux-gnu-cc" for processor in ("x86_64", "aarch64")), "gcc", "clang"]
        paths = (f"{self.located.prefix}/bin/{name}" for name in names)
        return next((path for path in paths if self.files.is_file(path)), None)

    def _python(self, conda: tuple[CondaPackage, ...], places: list[str]) -> str | None:
        for package in conda:
            if package.name == "python":
                return package.version
        for place in places:
            if match := re.search(r"/python(3\.\d+)t?/", place + "/"):
                return match[1]
        return None

    # Distributions.

    def _distributions(self, places: list[str]) -> Iterator[Distribution]:
        count = 0
        for place in places:
            for name in self._names(place):
                if not name.endswith((".dist-info", ".egg-info")) or count >= _MOST:
                    continue
                count += 1
                if (found := self._distribution(place, name)) is not None:
                    yield found
        if count >= _MOST:
            self.problems.append(Problem(PROBE, f"only the first {_MOST} distributions were read"))

    def _distribution(self, place: str, folder: str) -> Distribution | None:
        metadata = f"{place}/{folder}"
        wheel = folder.endswith(".dist-info")
        stem = re.sub(r"\.(dist|egg)-info$", "", folder)
        name, _, version = stem.partition("-")
        version = re.sub(r"-py\d.*$", "", version)
        inside = "METADATA" if wheel else "PKG-INFO"
        path = f"{metadata}/{inside}" if self.files.is_dir(metadata) else metadata
        text = self._head(path, _METADATA_LIMIT)
        headers = (text or "").partition("\n\n")[0]
        if wheel and text is None and not self.files.exists(path):
            self.problems.append(Problem(PROBE, f"{metadata} has no METADATA"))
        told = re.search(r"^Name:\s*(\S+)", headers, re.M)
        stated = re.search(r"^Version:\s*(\S+)", headers, re.M)
        if not (told or name):
            return None
        version = stated[1] if stated else version
        if version and not is_version(version):
            self.problems.append(Problem(PROBE, f"{path} tells a version that is none"))
            version = ""
        origin, editable = self._origin(f"{metadata}/direct_url.json") if wheel else (None, False)
        return Distribution(
            name=normalised(told[1] if told else name),
            version=version or None,
            place=place,
            metadata=metadata,
            installer=(self._small(f"{metadata}/INSTALLER") or "").strip() or None if wheel else None,
            origin=origin,
            requires=tuple(told.strip() for told in re.findall(r"^Requires-Dist:(.+)$", headers, re.M) if told.strip()),
            tags=tuple(re.findall(r"^Tag:\s*(\S+)", self._small(f"{metadata}/WHEEL") or "", re.M)) if wheel else (),
            files=self._count(f"{metadata}/RECORD") if wheel else None,
            editable=editable,
        )

    def _origin(self, path: str) -> tuple[str | None, bool]:
        text = self._small(path)
        if not text:
            return None, False
        try:
            value = json.loads(text)
            editable = bool(value.get("dir_info", {}).get("editable"))
            return redacted(str(value["url"])), editable
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.problems.append(Problem(PROBE, f"{path} is not as it should be"))
            return None, False

    def _count(self, path: str) -> int | None:
        """The files that RECORD lists; for the large packages a count to the limit is enough."""
        text = self._head(path, 1 << 16)
        return None if text is None else text.count("\n")

    def _conda_packages(self) -> Iterator[CondaPackage]:
        folder = f"{self.located.prefix}/conda-meta"
        for name in self._names(folder):
            if not name.endswith(".json"):
                continue
            # The file name tells name, version and build.
            package, _, rest = name.removesuffix(".json").rpartition("-")
            package, _, version = package.rpartition("-")
            if not (package and version and rest):
                self.problems.append(Problem(PROBE, f"{folder}/{name} is not called after a package"))
                continue
            yield CondaPackage(package, version, rest, self._channel(f"{folder}/{name}"))

    def _channel(self, path: str) -> str | None:
        """Its name, `conda-forge`: the address may hold a token. Keys are in their order, so it stands early."""
        head = self._head(path, _CHANNEL_LIMIT) or ""
        match = re.search(r'"channel":\s*"([^"\\\n]{1,300})"', head)
        parts = [part for part in match[1].split("://")[-1].split("/") if part] if match else []
        if parts and (parts[-1] == "noarch" or re.fullmatch(r"(linux|osx|win)-\w+", parts[-1])):
            parts.pop()
        return parts[-1] if parts else None

    # What the frameworks really are.

    def _torch(self, places: list[str]) -> TorchBuild | None:
        place = next((one for one in places if self.files.is_dir(f"{one}/torch")), None)
        if place is None:
            return None
        path = f"{place}/{TORCH.build_file}"
        values = assignments(self._text(path, _SOURCE_LIMIT) or "")
        folder = f"{place}/torch/lib"
        libraries = self._names(folder)
        has_library = any(re.match(r"(lib)?torch_cuda", name) for name in libraries) if libraries else None
        if not values:
            return TorchBuild(None, None, has_library, path, cuda_library=has_library)
        cuda = values.get("cuda")
        version = values.get("__version__")
        told = "cuda" in values
        has_cuda = isinstance(cuda, str) if told else has_library
        kernels = None
        if has_cuda:
            for name in TORCH.kernel_libraries:
                if name in libraries and (kernels := self._kernel_list(f"{folder}/{name}")):
                    break
        return TorchBuild(
            version=version if isinstance(version, str) and is_version(version) else None,
            cuda=_version_of(cuda),
            has_cuda=has_cuda,
            path=path,
            kernels=kernels,
            hip=str(values["hip"]) if isinstance(values.get("hip"), str) else None,
            cuda_library=has_library,
        )

    def _tensorflow(self, places: list[str], distributions: tuple[Distribution, ...]) -> TensorflowBuild | None:
        place = next((one for one in places if self.files.is_dir(f"{one}/tensorflow/python")), None)
        if place is None:
            return None
        path = f"{place}/{TENSORFLOW.build_file}"
        info = assignments(self._text(path, _SOURCE_LIMIT) or "").get("build_info")
        version = next((one.version for one in distributions if TENSORFLOW.is_called(one.name)), None)
        if not isinstance(info, dict):
            return TensorflowBuild(version, None, None, None, None, path)
        kernels = info.get("cuda_compute_capabilities")
        return TensorflowBuild(
            version=version,
            has_cuda=bool(info.get("is_cuda_build")),
            cuda=_version_of(info.get("cuda_version")),
            cudnn=_version_of(info.get("cudnn_version")),
            kernels=tuple(str(one) for one in kernels) if isinstance(kernels, list) else None,
            path=path,
        )

    def _companions(self, places: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in TORCH.companions:
            for place in places:
                values = assignments(self._text(f"{place}/{name}/version.py", _SOURCE_LIMIT) or "")
                version = values.get("__version__")
                if name not in found and isinstance(version, str) and is_version(version):
                    found[name] = version
        return found

    def _bitsandbytes(self, places: list[str]) -> tuple[str, ...] | None:
        place = next((one for one in places if self.files.is_dir(f"{one}/bitsandbytes")), None)
        names = self._names(f"{place}/bitsandbytes") if place else []
        return tuple(name for name in names if name.startswith("libbitsandbytes")) if place else None

    def _bitsandbytes_falls_back(self, places: list[str]) -> bool:
        """By its own source: older releases load the library of torch's CUDA or none."""
        place = next((one for one in places if self.files.is_dir(f"{one}/bitsandbytes")), None)
        text = self._text(f"{place}/bitsandbytes/cextension.py", _SOURCE_LIMIT) if place else None
        return text is None or "same major" in text

    def _xformers(self, places: list[str]) -> str | None:
        place = next((one for one in places if self.files.is_file(f"{one}/xformers/cpp_lib.json")), None)
        if place is None:
            return None
        try:
            value = json.loads(self._small(f"{place}/xformers/cpp_lib.json") or "")
            return str(value["version"]["cuda"] or "")[:_LONGEST]
        except (ValueError, KeyError, TypeError, RecursionError):
            self.problems.append(Problem(PROBE, f"{place}/xformers/cpp_lib.json is not as it should be"))
            return None

    def _libdevice(self, places: list[str]) -> str | None:
        for place in places:
            for folder in ("cuda_nvcc", "cu13", "cu12"):
                path = f"{place}/nvidia/{folder}/nvvm/libdevice/libdevice.10.bc"
                if self.files.is_file(path):
                    return path
        return None

    def _openmp(self, places: list[str]) -> Iterator[str]:
        """Where wheels and conda put it: a package's own folder, its `lib`, `NAME.libs`, and the prefix's own."""
        prefix = self.located.prefix
        folders = [f"{prefix}/lib", f"{prefix}/Library/bin"]
        for place in places:
            for name in self._names(place):
                if not name.endswith((".dist-info", ".egg-info", ".py", ".pth")):
                    folders += [f"{place}/{name}", f"{place}/{name}/lib"]
        seen: set[str] = set()
        for folder in folders:
            for name in self._listed(folder):
                path = f"{folder}/{name}"
                if re.match(r"libiomp5(md)?[.-]", name) and (real := self._real(path)) not in seen:
                    seen.add(real)
                    yield path

    def _listed(self, path: str) -> list[str]:
        """Most of what is tried is no folder, and that is nothing to tell."""
        try:
            return self.files.names(path)
        except OSError:
            return []

    def _accelerate(self) -> str | None:
        home = self.environ.get("HF_HOME") or f"{self.environ.get('HOME', '')}/.cache/huggingface"
        path = f"{home}/accelerate/default_config.yaml"
        text = self._small(path) if path.startswith("/") else None
        return path if re.search(r"^use_cpu:\s*(true|yes|on)\s*$", text or "", re.M | re.I) else None

    def _kernel_list(self, path: str) -> tuple[str, ...] | None:
        """The file is mapped, not read: it is large, and the list stands somewhere in it."""
        try:
            with self.files.mapped(path) as data:
                return kernel_list(data)
        except (OSError, ValueError) as error:
            self.problems.append(Problem(PROBE, f"{path}: {error}"))
            return None

    def _libraries(self, places: list[str]) -> Iterator[SharedLibrary]:
        """The shared libraries below `nvidia/` and in `torch/lib`."""
        for place in places:
            for folder in self._nvidia_folders(place):
                for name in self._names(folder):
                    if match := _NVIDIA_LIBRARY.fullmatch(name):
                        yield SharedLibrary(match[1] or match[3], f"{folder}/{name}")
            for name in self._names(f"{place}/torch/lib"):
                if (match := _NVIDIA_LIBRARY.fullmatch(name)) and re.match(r"lib(cu|nccl|nv)", name):
                    yield SharedLibrary(match[1] or match[3], f"{place}/torch/lib/{name}")

    def _nvidia_folders(self, place: str) -> Iterator[str]:
        for name in self._names(f"{place}/nvidia"):
            for folder in (f"{place}/nvidia/{name}/lib", f"{place}/nvidia/{name}/bin"):
                if self.files.is_dir(folder):
                    yield folder

    # Reading.

    def _names(self, path: str) -> list[str]:
        try:
            return self.files.names(path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.problems.append(Problem(PROBE, f"{path}: {error.strerror or error}"))
            return []

    def _real(self, path: str) -> str:
        try:
            return self.files.real(path)
        except OSError:
            return path

    def _small(self, path: str) -> str | None:
        return self._text(path, 1 << 16)

    def _text(self, path: str, limit: int) -> str | None:
        return self._noted(path, lambda: self.files.read_text(path, limit))

    def _head(self, path: str, limit: int) -> str | None:
        """Of a file whose beginning is enough: of METADATA the headers count."""
        return self._noted(path, lambda: self.files.head_text(path, limit))

    def _noted(self, path: str, read: Callable[[], str]) -> str | None:
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.problems.append(Problem(PROBE, f"{path}: {error.strerror or error}"))
            return None


def _version_of(value: object) -> str | None:
    """Of CUDA or cuDNN: `12.6`, or `9`."""
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", value) else None
