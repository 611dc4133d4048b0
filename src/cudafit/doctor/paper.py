"""An environment as it would be after a change of packages: what an installer would do, on paper.

Versions and requirements of the packages that the matrices hold are theirs; of others a version that is admitted is
taken, and what it needs is not known.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.doctor.world import World
from cudafit.errors import InputError
from cudafit.model.environment import Distribution, Environment, Extension, Load, SharedLibrary, TensorflowBuild
from cudafit.model.frameworks import TORCH, TWINS
from cudafit.model.matrix import CPU, DEFAULT_INDEX, Build, wheel_version
from cudafit.model.requirement import Wanted, wanted
from cudafit.model.sonames import libraries_of
from cudafit.model.versions import numbers
from cudafit.resolve.pins import requirements
from cudafit.resolve.problem import Library as Facts
from cudafit.resolve.pythons import has_wheel
from cudafit.resolve.versions import admits_any, parsed, read

PLANNED = "as planned"
_MOST = 400  # steps of an installer on paper, whatever rows say of each other
_FULL = 100  # files: it is no placeholder


def changed(world: World, install: Sequence[str] = (), remove: Iterable[str] = ()) -> World:
    """The same machine with the environment after `remove` was taken out and `install` put in."""
    environment = world.environment
    if environment is None:
        return world
    desk = _Desk(world, environment)
    for name in remove:
        desk.take_out(name)
    desk.put_in([wanted(text) for text in install])
    return world.with_environment(desk.environment())


class _Desk:
    """What is installed, by name, and what was put there."""

    def __init__(self, world: World, environment: Environment) -> None:
        self.facts: Facts = world.facts
        self.world = world
        self.before = environment
        self.there: dict[str, Distribution] = {}
        for one in environment.distributions:
            self.there.setdefault(one.name, one)
        self.came: dict[str, Build | None] = {}
        self.gone: set[str] = set()
        self.extras: dict[str, frozenset[str]] = {}
        self.platform = f"{world.machine.os.system}-{world.machine.os.arch}"
        match = re.match(r"3\.\d+", environment.python or "")
        self.python = match.group() if match else None

    def take_out(self, name: str) -> None:
        self.there.pop(name, None)
        self.gone.add(name)

    def put_in(self, wants: Sequence[Wanted]) -> None:
        queue = [(want, True) for want in wants]
        for _ in range(_MOST):
            if not queue:
                return
            want, asked = queue.pop(0)
            have = self.there.get(want.name)
            stays = have and have.version and admits_any(want.specifier, have.version)
            if stays and have and (not asked or want.name in self.came):
                if not want.extras:
                    continue
                want = replace(want, specifier=f"=={have.version}")  # the same, and what the extra brings
            queue += [(need, False) for need in self._install(want)]

    def _install(self, want: Wanted) -> list[Wanted]:
        """Returns what it needs."""
        extras = frozenset(want.extras)
        build = self._build(want, extras)
        if build is None and want.name in self.facts.book.packages and self.facts.builds(want.name):
            self.came.setdefault(want.name, None)  # no wheel: the installer would stop, or compile
            return []
        version = wheel_version(build) if build else _some_version(want.specifier, self._known_versions(want.name))
        needs = list(self._needs(build, extras)) if build else []
        old = self.there.get(want.name)
        place = old.place if old else self._place()
        self.there[want.name] = Distribution(
            want.name, version, place, PLANNED, requires=tuple(one.text for one in needs), files=_FULL
        )
        self.came[want.name] = build
        self.extras[want.name] = extras
        return needs

    def _place(self) -> str:
        first = next((one.place for one in self.before.distributions), None)
        return first or next(iter(self.before.places), self.before.path)

    def _known_versions(self, name: str) -> list[str]:
        return [row.version for row in self.facts.facts.libraries if row.package == name]

    def _build(self, want: Wanted, extras: frozenset[str]) -> Build | None:
        pinned = re.fullmatch(r"==([^,*]+)", want.specifier)
        version, _, local = pinned[1].partition("+") if pinned else ("", "", "")
        found = [one for one in self.facts.builds(want.name) if self._runs(one)]
        if local:
            found = [one for one in found if one.version == version and wheel_version(one).endswith(f"+{local}")]
        else:
            found = [one for one in found if one.index == DEFAULT_INDEX and admits_any(want.specifier, one.version)]
            exact = bool(pinned)
            found = [one for one in found if exact or not parsed(one.version).is_prerelease]
        with_extra = [one for one in found if one.extra in extras] if extras else []
        plain = [one for one in found if one.extra is None or one.name not in ("jax",)]
        return max(with_extra or plain or found, key=lambda one: parsed(one.version), default=None)

    def _runs(self, build: Build) -> bool:
        here = build.platform in (self.platform, "any")
        return here and (self.python is None or has_wheel(build.pythons, build.requires_python, self.python))

    def _needs(self, build: Build, extras: frozenset[str]) -> Iterator[Wanted]:
        brings = build.extra is None or build.extra in extras
        for need in requirements(build, extras):
            if not brings and need.name.startswith(("nvidia-", "jax-cuda")):
                continue
            written = f"[{','.join(need.extras)}]" if need.extras else ""
            yield wanted(f"{need.name}{written}{need.specifier}")

    # What it looks like then.

    def environment(self) -> Environment:
        before, came = self.before, self.came
        moved = {*came, *self.gone}
        others = tuple(one for one in before.distributions if one.name not in moved)
        new = tuple(self.there[name] for name in came if name in self.there)
        libraries = self._libraries()
        supplied = {one.soname: one.path for one in libraries}
        made = replace(
            before,
            distributions=(*new, *others),
            libraries=libraries,
            loads=_loads(before.loads, moved, supplied),
            extensions=tuple(self._extensions(supplied)),
            too_old=tuple(one for one in before.too_old if not any(f"/{name}" in one.by for name in moved)),
            gone=tuple((one, path) for one, path in before.gone if one.name not in moved),
            ran=None,
        )
        made = self._torch(made)
        made = replace(made, companions=self._companions(made))
        made = self._tensorflow(made)
        return self._parts(made)

    def _libraries(self) -> tuple[SharedLibrary, ...]:
        moved = {*self.came, *self.gone}
        folders = {_folder(name) for name in moved if name.startswith("nvidia-")}
        staying = [one for one in self.before.libraries if not any(f"/{folder}/" in one.path for folder in folders)]
        torch_moved = "torch" in moved
        staying = [one for one in staying if not (torch_moved and "/torch/lib/" in one.path)]
        site = self._place()
        for name in self.came:
            one = self.there.get(name)
            for soname in libraries_of(name, one.version or "") if one else ():
                staying.append(SharedLibrary(soname, f"{site}/nvidia/{_folder(name)}/lib/{soname}", name))
        return tuple(staying)

    def _opened(self) -> frozenset[str]:
        """What comes with extras that rows do not tell: `onnxruntime-gpu[cuda,cudnn]` brings what it opens."""
        return frozenset(
            soname
            for name, extras in self.extras.items()
            if extras & {"cuda", "cudnn"} and (build := self.came.get(name)) and build.extra is None
            for soname in build.opens or ()
        )

    def _extensions(self, supplied: Mapping[str, str]) -> Iterator[Extension]:
        torch_moved = "torch" in self.came
        for one in self.before.extensions:
            if one.package in self.gone:
                continue
            if one.package in self.came:
                build = self.came[one.package]
                if build is None:
                    continue  # nothing is known of another version
                opened = self._opened()
                lacking = tuple(
                    Load(soname, None, one.path, "default folders")
                    for soname in build.opens or ()
                    if soname not in supplied
                    and soname not in opened
                    and soname in {load.soname for load in one.missing}
                )
                yield replace(one, kernels=build.kernels, missing=lacking, symbols=())
            else:
                yield replace(one, symbols=()) if torch_moved else one

    def _torch(self, made: Environment) -> Environment:
        build = self.came.get("torch")
        if "torch" in self.gone:
            return replace(made, torch=None)
        if build is None or made.torch is None:
            return made
        variant = build.local or build.variant
        version = build.version if "+" in build.version else f"{build.version}+{variant}"
        has_cuda = build.variant != CPU
        torch = replace(
            made.torch,
            version=version,
            cuda=build.cuda,
            has_cuda=has_cuda,
            hip=None,
            kernels=build.kernels,
            cuda_library=has_cuda,
        )
        return replace(made, torch=torch)

    def _companions(self, made: Environment) -> dict[str, str]:
        found = dict(made.companions)
        for name in TORCH.companions:
            build = self.came.get(name)
            if build:
                found[name] = f"{build.version}+{build.local or build.variant}"
        return found

    def _tensorflow(self, made: Environment) -> Environment:
        name = next((one for one in ("tensorflow", *TWINS.get("tensorflow", ())) if self.came.get(one)), None)
        build = self.came.get(name) if name else None
        if build is None:
            gone = {"tensorflow", *TWINS.get("tensorflow", ())} & self.gone
            still = [one for one in ("tensorflow", "tensorflow-cpu") if one in self.there]
            return replace(made, tensorflow=None) if gone and not still else made
        old = made.tensorflow
        path = old.path if old else f"{self._place()}/tensorflow/python/platform/build_info.py"
        major = re.fullmatch(r"cu(\d\d)\d?", build.variant)
        cuda = build.cuda or (major[1] if major else None)
        built = TensorflowBuild(build.version, build.variant != CPU, cuda, build.cudnn, build.kernels, path)
        return replace(made, tensorflow=built)

    def _parts(self, made: Environment) -> Environment:
        libdevice = made.libdevice
        if any(name.startswith(("nvidia-cuda-nvcc", "nvidia-nvvm")) for name in self.came):
            libdevice = f"{self._place()}/nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc"
        bnb = made.bitsandbytes
        falls_back, without_lt = made.bitsandbytes_falls_back, made.bitsandbytes_without_lt
        if (build := self.came.get("bitsandbytes")) and build.torch_cudas:
            bnb = tuple(f"libbitsandbytes_cuda{one.replace('.', '')}.so" for one in build.torch_cudas)
            falls_back, without_lt = build.nearest, False
        xformers = self.came.get("xformers")
        return replace(
            made,
            libdevice=libdevice,
            bitsandbytes=bnb if "bitsandbytes" not in self.gone else None,
            bitsandbytes_falls_back=falls_back,
            bitsandbytes_without_lt=without_lt,
            xformers_cuda=xformers.cuda or "" if xformers else made.xformers_cuda,
        )


def broken(before: Environment, after: Environment) -> list[str]:
    """What the packages that stay asked for and had, and have no more; in their own words."""
    old = {one.name: one for one in reversed(before.distributions)}
    new = {one.name: one for one in reversed(after.distributions)}
    found = []
    for one in after.distributions:
        for text in one.requires:
            need = _plain(text)
            if need is None or need.name not in old:
                continue
            was, now = old[need.name].version, new[need.name].version if need.name in new else None
            if now == was or (was and not _fits(need, was) and old.get(one.name) is one):
                continue
            if now is None and any(twin in new for twin in _twins(need.name)):
                continue  # the same module under another name
            if now is None or not _fits(need, now):
                found.append(f"{one.name} {one.version} needs {need.name}{need.specifier}")
    return found


def _twins(name: str) -> Iterator[str]:
    """What fills the same folder: onnxruntime-gpu for onnxruntime."""
    for build, twins in TWINS.items():
        if name == build or name in twins:
            yield from (build, *twins)


def _plain(text: str) -> Wanted | None:
    plain, _, marker = text.partition(";")
    if marker.strip():
        return None  # it may not hold here
    try:
        return wanted(plain.replace("(", "").replace(")", ""))
    except InputError:
        return None


def _fits(need: Wanted, version: str) -> bool:
    public = version.partition("+")[0]
    return admits_any(need.specifier, version) or admits_any(need.specifier, public)


def _folder(name: str) -> str:
    """nvidia-cuda-runtime-cu12 fills nvidia/cuda_runtime."""
    return re.sub(r"-cu\d\d$", "", name.removeprefix("nvidia-")).replace("-", "_")


def _loads(
    loads: Mapping[str, tuple[Load, ...]], moved: set[str], supplied: Mapping[str, str]
) -> dict[str, tuple[Load, ...]]:
    """What was read of a library that is replaced is not known of the new one."""
    found = {}
    for name, those in loads.items():
        if name == "nvidia":
            found[name] = tuple(one for one in those if one.soname not in supplied)
        elif name in moved:
            found[name] = tuple(replace(one, path=supplied[one.soname]) for one in those if one.soname in supplied)
        else:
            found[name] = those
    return found


def _some_version(specifier: str, known: Sequence[str]) -> str | None:
    """One that is admitted: of those that are known the newest, else a bound itself."""
    admitted = [one for one in known if read(one) and admits_any(specifier, one)]
    if admitted:
        return max(admitted, key=parsed)
    for sign in ("===", "==", "~=", ">=", "<="):
        if match := re.search(rf"(?<![<>=~!]){sign}\s*([^,\s]+)", specifier):
            return match[1].removesuffix(".*")
    if match := re.search(r"<\s*([\d.]+)", specifier):
        parts = list(numbers(match[1]))
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        return ".".join(map(str, [*parts[:-1], max(0, parts[-1] - 1), 99]))
    return None
