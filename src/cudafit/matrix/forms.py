"""What a value of a row must look like for the rules to compute with it: a person's own rows may hold anything.

Each is a function that says whether a text has the form, with an example of it.
"""

import re
from collections.abc import Callable, Mapping

from cudafit.model.matrix import EVIDENCE
from cudafit.model.requirement import is_specifier
from cudafit.model.versions import is_sane

Form = tuple[Callable[[str], bool], str]


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - while a matrix is compiled

    try:
        Version(text if is_sane(text) else "")
    except InvalidVersion:
        return False
    return True


def _is_required(text: str) -> bool:
    """As the rules of fitting read it: a name with extras, a specifier, and the extra that it is for."""
    match = _REQUIRED.fullmatch(text)
    return match is not None and is_sane(text) and (not match[1] or is_specifier(match[1]))


_REQUIRED = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?([^;\[]*)(?:;extra=='[^']+')?")
_VERSION: Form = (_is_version, "2.9.0")
_DOTTED: Form = (_like(r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}"), "12.6")
_TWO: Form = (_like(r"[0-9]{1,6}(\.[0-9]{1,6}){1,4}"), "12.6")
_WHOLE: Form = (_like("[0-9]{1,6}"), "550")
_CAPABILITY: Form = (_like(r"[0-9]{1,3}\.[0-9]{1,2}"), "8.9")
_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?(e-?[0-9]{1,2})?"
_FIGURE: Form = (_like(rf"(?=[0.]*[1-9]){_NUMBER}"), "82.6")

_WHEEL = r"[A-Za-z0-9][\w.+!-]*\.whl"
_OF_CONDA = r"[a-z0-9_][a-z0-9_.-]*-[0-9a-z][\w.!+]*-[\w.+]+"  # NAME-VERSION-BUILD

# By the names of fields; a list is held item by item.
_BY_NAME: Mapping[str, Form] = {
    **dict.fromkeys(("cuda", "linux_driver", "windows_driver"), _DOTTED),
    **dict.fromkeys(("branch", "last_branch", "major", "cores"), _WHOLE),
    **dict.fromkeys(("first_capability", "last_capability", "compute_capability", "capabilities"), _CAPABILITY),
    **dict.fromkeys(("bandwidth_gb_s", "fp32_tflops", "tensor_tflops", "times", "share"), _FIGURE),
    "bound": (_like(_NUMBER), "0.001"),
    "torch_cudas": _TWO,
    "memory_gb": (lambda text: all(map(_FIGURE[0], text.split("/"))), "16/32"),
    "pythons": (_like(r"[0-9]{1,3}(\.[0-9]{1,3})*[t+]?"), "3.12"),
    "evidence": (lambda text: text in EVIDENCE, " or ".join(EVIDENCE)),
    "local": (_like(r"[a-z0-9]+([._-][a-z0-9]+)*"), "cu130"),
    "files": (_like(rf"({_WHEEL}|{_OF_CONDA})=([0-9a-f]{{64}}|-)"), "torch-2.9.1-cp312-cp312-win_amd64.whl=-"),
    "requires": (_is_required, "nvidia-cudnn-cu12==9.10.2.21"),
    **dict.fromkeys(("versions", "admits"), (lambda text: is_sane(text) and is_specifier(text), ">=2.4,<2.7")),
    "requires_python": (lambda text: is_sane(text) and is_specifier(text), ">=3.10"),
}
_WITH_VERSIONS = ("Build", "LibraryRelease", "CondaBuild")


def form_of(kind: type, name: str) -> Form | None:
    """None for a field whose texts are not computed with."""
    if name == "version" and kind.__name__ in _WITH_VERSIONS:
        return _VERSION
    if name == "cuda" and kind.__name__ != "Build":  # a build may be for a whole major
        return _TWO
    return _BY_NAME.get(name)
