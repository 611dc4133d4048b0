"""conda's match specifications, as requirements under the names of the Python side.

Source: conda's documentation, "Package match specifications".
"""

import re
from collections.abc import Iterator

from cudafit.model.declaration import Chosen
from cudafit.model.frameworks import FRAMEWORKS, MAIN_OF_CONDA, TORCH
from cudafit.model.frozen import frozen
from cudafit.project.specifiers import of_conda
from cudafit.system.python310 import possessive

_SPEC = re.compile(possessive(r"(?:[^\s:\[\]]*+::?)?([A-Za-z0-9_][\w.-]*+)\s*+(.*+)"))
_KEYS = re.compile(r"(version|build|build_string)\s*=\s*[\"']?([^\"'\],]+(?:,[^\"'\]=]+)*)")
_BUILD_CUDA = re.compile(r"cu(?:da)?_?(\d{1,2})\.?(\d)")
# Packages that say which CUDA the others are built for; the CUDA in a name, as of dgl-cuda11.1.
_CUDA = ("pytorch-cuda", "cudatoolkit", "cuda-version")
_NAMED_CUDA = re.compile(r"(.+)-cuda(\d{1,2})\.?(\d)?")
_KIND = re.compile(r"(.+)-(gpu|cpu|cuda)")


@frozen
class Spec:
    """`pytorch=2.0.*=*cuda118*`: the name as conda has it, the version and the build as they are written."""

    name: str
    version: str = ""
    build: str = ""

    @property
    def specifier(self) -> str | None:
        """None for what PEP 440 cannot say."""
        return of_conda(self.version)

    @property
    def requirement(self) -> str | None:
        """Under its Python name; None for what stands for no package there."""
        package = python_name(self.name)
        return f"{package}{self.specifier or ''}" if package else None


def spec_of(text: str) -> Spec | None:
    """Of an entry of environment.yml; None for what is none."""
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        return None
    name, rest = match[1].lower(), match[2].strip()
    if rest.startswith("["):
        keys = dict(_KEYS.findall(rest))
        return Spec(name, keys.get("version", ""), keys.get("build") or keys.get("build_string", ""))
    rest = rest.partition("[")[0].strip()
    # `name>=1.2=build`, `name=1.2=build`, `name==1.2`, `name 1.2 build`: a second sign begins the build.
    if rest[:1] in ("<", ">", "!", "~"):
        version, sign, build = rest.rpartition("=")
        if sign and re.search(r"[\w*.]\Z", version) and not re.search(r"[<>!~\s,]", build):
            return Spec(name, version, build)
    parts = re.fullmatch(r"(=?=?[^=<>!~\s]+)(?:=|\s+)([^=<>!\s]+)", rest) if rest[:1] not in "<>!~" else None
    return Spec(name, parts[1], parts[2]) if parts else Spec(name, rest)


def name_of(name: str) -> str:
    return name.rpartition("::")[2].lower()


def python_name(name: str) -> str | None:
    """`pytorch`, `pytorch-gpu`, `dgl-cuda11.1` as they are called on the Python side; None for parts that only choose
    a build."""
    if name in (*_CUDA, "cpuonly", "pytorch-mutex", "libtorch", "python_abi", "pip", "python"):
        return None
    if match := _NAMED_CUDA.fullmatch(name):
        return match[1]
    if name in MAIN_OF_CONDA:
        return MAIN_OF_CONDA[name].name
    match = _KIND.fullmatch(name)
    known = [one for one in FRAMEWORKS if match and match[1] in one.conda]
    return known[0].name if known else name


def chosen_by(spec: Spec, place: str) -> Iterator[Chosen]:
    """The kind of build that a specification chooses, of its package or of all."""
    if spec.name == "cpuonly":
        yield Chosen("cpu", place, TORCH.name)
    elif spec.name in _CUDA and (variant := _variant(spec.version)):
        yield Chosen(variant, place)
    elif match := _NAMED_CUDA.fullmatch(spec.name):
        yield Chosen(f"cu{match[2]}{match[3] or ''}", place, match[1])
    elif (match := _KIND.fullmatch(spec.name)) and match[2] == "cpu" and (package := python_name(spec.name)):
        yield Chosen("cpu", place, package)
    elif spec.build and (package := python_name(spec.name)):
        if match := _BUILD_CUDA.search(spec.build):
            yield Chosen(f"cu{match[1]}{match[2]}", place, package)
        elif "cpu" in spec.build:
            yield Chosen("cpu", place, package)


def _variant(version: str) -> str | None:
    match = re.fullmatch(r"=*(\d{1,2})(?:\.(\d))?(?:\.[\d*]+)*", version.strip())
    return f"cu{match[1]}{match[2] or ''}" if match else None
