"""Where conda and pip meet in one prefix, and whether the files of conda's frameworks are there."""

import re
from collections.abc import Iterator, Sequence

from cudafit.env.conda_meta import PROBE, MetaRecord, damage, read_record, trouble
from cudafit.files import Files
from cudafit.model.environment import CondaDamage, CondaPackage, Distribution, Doubled
from cudafit.model.frameworks import OF_CONDA
from cudafit.model.machine import Problem
from cudafit.model.requirement import normalised

# What a diagnosis compares with conda-meta: the frameworks and what they load. All of a prefix takes long.
_COMPARED = re.compile(
    r"(lib)?(pytorch|torch|tensorflow(-base|-cc)?|jaxlib|torchvision|torchaudio|onnxruntime(-cpp)?)|triton"
    r"|cudnn|cusparselt|nccl|magma|cudatoolkit|cuda-(cudart|cupti|nvrtc|nvtx)(_\S+)?"
    r"|lib(cublas|cudnn|cudss|cufft|cufile|curand|cusolver|cusparse|magma|nvjitlink|nvshmem)\d*"
)
_SMALL = 1 << 16


class CondaSide:
    """Reads the records of a few packages; those are read once."""

    def __init__(
        self, files: Files, prefix: str, packages: Sequence[CondaPackage], distributions: Sequence[Distribution]
    ) -> None:
        self.files = files
        self.prefix = prefix
        self.packages = packages
        self.distributions = distributions
        self.problems: list[Problem] = []
        self._read: dict[str, MetaRecord | None] = {}

    def doubled(self) -> Iterator[Doubled]:
        """By INSTALLER, and by the files that conda's record lists: a few of conda's packages say pip themselves."""
        by_name = {python_name(one.name): one for one in self.packages}
        for one in self.distributions:
            package = by_name.get(one.name)
            if package is None or one.installer == "conda" or not one.place.startswith(f"{self.prefix}/"):
                continue
            record = self._record(package)
            if record and not self._is_of(record, one):
                yield Doubled(one.name, package.name, one.version, package.version, one.metadata)

    def _is_of(self, record: MetaRecord, one: Distribution) -> bool:
        """Whether a distribution is the one that conda installed; one of the same version has another INSTALLER."""
        inside = one.metadata.removeprefix(f"{self.prefix}/") + "/"
        listed = {file.path.removeprefix(inside): file for file in record.files if file.path.startswith(inside)}
        told = listed["INSTALLER"].sha256 if "INSTALLER" in listed else None
        try:
            content = self.files.read_bytes(f"{one.metadata}/INSTALLER", _SMALL) if told else b""
        except OSError:
            return bool(listed)
        import hashlib  # noqa: PLC0415 - few environments need it, and it loads OpenSSL

        return bool(listed) and (told is None or hashlib.sha256(content).hexdigest() == told)

    def damaged(self) -> Iterator[CondaDamage]:
        """Missing files, and those of another size, among the frameworks."""
        if not self.files.whole:
            return
        records = [record for one in self.packages if _COMPARED.fullmatch(one.name) if (record := self._record(one))]
        yield from damage(self.prefix, records, hashes=False)

    def _record(self, package: CondaPackage) -> MetaRecord | None:
        if package.name not in self._read:
            path = f"{self.prefix}/conda-meta/{package.name}-{package.version}-{package.build}.json"
            self._read[package.name] = None
            try:
                self._read[package.name] = read_record(self.files, path)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                self.problems.append(Problem(PROBE, f"{path} cannot be read: {trouble(error)}"))
        return self._read[package.name]


def is_compared(name: str) -> bool:
    return _COMPARED.fullmatch(name) is not None


def python_name(name: str) -> str:
    """conda's name of a package as Python calls it."""
    of = OF_CONDA.get(name)
    return of.build if of else normalised(name)
