"""What each package's wheels tell of themselves, and where in the wheel it stands.

A reader gives the fields of a `Build` that it could read. What it did not find is not in the answer: never a guess.
METADATA is no proof of a GPU build: Windows and old aarch64 wheels of torch list nvidia-* packages and have no CUDA.
"""

import json
import re
from collections.abc import Callable
from email.parser import HeaderParser
from typing import Any

from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.libraries import cuda_majors, facts_of, kernels_of, major_of_name, read_libraries
from cudafit.matrix.harvest.remote import RemoteWheel
from cudafit.matrix.harvest.requirements import exact, requirements
from cudafit.matrix.merge import UNKNOWN_CUDA
from cudafit.model.bitsandbytes import LIBRARY, NEAREST, library_cudas
from cudafit.model.kernel_list import kernel_list
from cudafit.model.literals import assignments
from cudafit.model.matrix import CPU

Facts = dict[str, Any]
Reader = Callable[[RemoteWheel], Facts]

# It lists the kernels, as torch.cuda.get_arch_list tells them.
_TORCH_LIBRARY = "torch/lib/libtorch_python.so"


def metadata_only(variant: str, extra: str = "") -> Reader:
    """For a package whose variant its name tells."""

    def read(wheel: RemoteWheel) -> Facts:
        return _with_pins({"variant": variant}, wheel, extra)

    return read


def torch(wheel: RemoteWheel) -> Facts:
    """`torch/version.py` decides; METADATA gives the pins of a CUDA build."""
    facts = version_py(wheel)
    if facts["variant"] == CPU:
        return facts
    library = wheel.read(_TORCH_LIBRARY)
    if library and (kernels := kernel_list(library)):
        facts["kernels"] = list(kernels)
    return facts


def jax(wheel: RemoteWheel) -> Facts:
    """jax's wheel is for any machine; an extra for CUDA brings the plugin of one CUDA major: that is another build.

    Such a build holds no kernels of its own, which is known, and not the same as kernels that nobody read.
    """
    facts = _with_pins({"variant": "any"}, wheel)
    names = HeaderParser().parsestr(wheel.metadata()).get_all("Provides-Extra") or []
    more = []
    for extra in names:
        if not (match := re.fullmatch(r"cuda(\d\d)(?:[-_]pip)?", extra)):
            continue
        cuda = _with_pins({"variant": f"cu{match[1]}", "kernels": []}, wheel, extra)
        if any(text.startswith("jax-cuda") for text in cuda["requires"]):
            more += [{**cuda, "platform": platform} for platform in ("linux-aarch64", "linux-x86_64")]
    # Old releases have the same extra under two names; the shorter one stayed.
    shortest = {
        one["variant"]: min((o["extra"] for o in more if o["variant"] == one["variant"]), key=len) for one in more
    }
    facts["more"] = [one for one in more if one["extra"] == shortest[one["variant"]]]
    return facts


def cuda_toolkit(wheel: RemoteWheel) -> Facts:
    """A package without files, whose extras (`cublas`, `cudart`) pin the libraries of one toolkit."""
    metadata = wheel.metadata()
    extras = HeaderParser().parsestr(metadata).get_all("Provides-Extra") or []
    pins = {
        f"{text};extra=='{extra}'"
        for extra in extras
        if extra != "all"
        for text in requirements(metadata, wheel.file, extra)
        if text.startswith("nvidia-")
    }
    major, minor, *_ = wheel.file.public.split(".")
    return {"variant": f"cu{major}{minor}", "cuda": f"{major}.{minor}", "kernels": [], "requires": sorted(pins)}


def of_its_version(wheel: RemoteWheel) -> Facts:
    """cuda-bindings 13.5 binds the libraries of CUDA 13, and finds them at run time; it holds no kernels."""
    return _with_pins({"variant": f"cu{wheel.file.public.split('.')[0]}", "kernels": []}, wheel)


def version_py(wheel: RemoteWheel) -> Facts:
    """`__version__ = '2.15.0+cu132'` and `cuda = '13.2'` (or `None`) in the package's version.py."""
    values = assignments(_needed(wheel, f"{wheel.file.package}/version.py"))
    cuda = values.get("cuda")
    if "__version__" not in values:
        raise HarvestError(wheel.file.name, "its version.py tells no version")
    local = str(values["__version__"]).partition("+")[2]
    if cuda is None and not local.startswith("cu"):
        return _cpu(wheel)
    facts: Facts = {"variant": local if local.startswith("cu") else "cu" + "".join(str(cuda).split(".")[:2])}
    if isinstance(cuda, str):
        facts["cuda"] = cuda
    return _with_pins(facts, wheel)


def tensorflow(wheel: RemoteWheel) -> Facts:
    """`build_info.py`: a dict of how it was built."""
    if not any(name.startswith("tensorflow/python/") for name in wheel.names):
        return _cpu(wheel)  # a stub: it holds METADATA, which names the package with the files
    info = assignments(_needed(wheel, "tensorflow/python/platform/build_info.py")).get("build_info")
    if not isinstance(info, dict):
        raise HarvestError(wheel.file.name, "its build_info.py is no dict of literals")
    if not info.get("is_cuda_build"):
        return _cpu(wheel)
    cuda = str(info["cuda_version"]).replace("64_112", "11.2") if "cuda_version" in info else None
    facts: Facts = {"variant": "cu" + "".join(cuda.split(".")[:2]) if cuda else "cu"}
    if cuda:
        facts["cuda"] = cuda
    if "cudnn_version" in info:
        facts["cudnn"] = str(info["cudnn_version"]).replace("64_", "")
    kernels = info.get("cuda_compute_capabilities") or info.get("compute_capabilities")
    if kernels:
        facts["kernels"] = [str(kernel) for kernel in kernels]
    extra = "and-cuda" if requirements(wheel.metadata(), wheel.file, "and-cuda") else ""
    # build_info tells the cuDNN that it was compiled against; the extra's pin is one that serves.
    return {**_with_pins({}, wheel, extra), **facts}


def onnxruntime(wheel: RemoteWheel) -> Facts:
    """`cuda_version = '12.8'` in the package's own note of how it was built (from 1.11 on)."""
    values = assignments(wheel.text("onnxruntime/capi/build_and_package_info.py") or "")
    cuda = str(values.get("cuda_version") or "")
    facts: Facts = kernels_of(wheel)
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", cuda):
        facts |= {"cuda": cuda, "variant": "cu" + "".join(cuda.split(".")[:2])}
    return _with_pins(facts, wheel)


def xformers(wheel: RemoteWheel) -> Facts:
    """`cpp_lib.json`: the CUDA that the extension was built with (`1206` is 12.6)."""
    if not any(name.endswith((".so", ".pyd")) for name in wheel.names):
        return _cpu(wheel)  # 0.0.31 for Windows holds no extension, whatever its cpp_lib.json says
    facts: Facts = {}
    cuda = _at(_json(wheel, "xformers/cpp_lib.json"), "version", "cuda")
    if isinstance(cuda, int | str) and re.fullmatch(r"\d{4}", str(cuda)):
        major, minor = int(str(cuda)[:2]), int(str(cuda)[2:])
        facts = {"cuda": f"{major}.{minor}", "variant": f"cu{major}{minor}"}
    return _with_pins({**facts, **kernels_of(wheel)}, wheel)


def vllm(wheel: RemoteWheel) -> Facts:
    """Its kernels; which CUDA it is for, the row that stands there tells."""
    return _with_pins({"variant": "", **kernels_of(wheel)}, wheel)


def cupy(variant: str) -> Reader:
    """`cupy/.data/_wheel.json`: the cuDNN and NCCL that it was built with; the user brings them."""

    def read(wheel: RemoteWheel) -> Facts:
        facts: Facts = {"variant": variant, **kernels_of(wheel)}
        told = _json(wheel, "cupy/.data/_wheel.json")
        for library in ("cudnn", "nccl"):
            version = _at(told, library, "version")
            if isinstance(version, str) and re.fullmatch(r"\d+(\.\d+)+", version):
                facts[library] = version
        return _with_pins(facts, wheel)

    return read


def bitsandbytes(wheel: RemoteWheel) -> Facts:
    """One wheel for many CUDA versions: `libbitsandbytes_cuda124.so` and its like."""
    facts: Facts = {"variant": CPU}
    if found := library_cudas(wheel.names):
        nearest = NEAREST in (wheel.text("bitsandbytes/cextension.py") or "")
        facts = {"variant": "multi", "torch_cudas": list(found), "nearest": nearest, **kernels_of(wheel, LIBRARY)}
    return _with_pins(facts, wheel)


def libraries(wheel: RemoteWheel) -> Facts:
    """By what its libraries hold and open; METADATA tells which CUDA's packages it brings."""
    held = read_libraries(wheel)
    facts: Facts = {} if held is None else facts_of(held, wheel.names)
    told = _with_pins({}, wheel)
    pinned = {int(match[1]) for text in told["requires"] if (match := re.match(r"nvidia-[\w-]+-cu(\d\d)\b", text))}
    compiled = {int(facts["cuda"].split(".")[0])} if "cuda" in facts else set()
    named = major_of_name(wheel.file)
    # What it is called, brings, takes from others, was compiled by: the first that tells one major.
    majors = ({named} if named else set(), pinned, cuda_majors(facts.get("opens", ())), compiled)
    major = next((min(found) for found in majors if len(found) == 1), None)
    if "cuda" in facts and (major not in compiled or "." not in facts["cuda"]):
        del facts["cuda"]
    if held == [] and wheel.file.platform == "any" and not named:
        facts = {"variant": "any"}  # extras may bring another CUDA than the one that it requires without them
    elif major:
        facts["variant"] = f"cu{major}"
    elif facts.get("kernels") or facts.get("opens"):
        facts |= {"variant": "cu", "verified": False, "note": UNKNOWN_CUDA}
    elif held is not None:
        facts["variant"] = CPU
    if facts.get("variant") in (CPU, "any"):
        for name in ("kernels", "partly", "opens", "cuda"):
            facts.pop(name, None)
    return {**told, **facts}


def _needed(wheel: RemoteWheel, name: str) -> str:
    """A member that decides the variant: without it nothing is known, and a wheel that is not read is told."""
    text = wheel.text(name)
    if text is None:
        raise HarvestError(wheel.file.name, f"no `{name}` in it")
    return text


def _json(wheel: RemoteWheel, name: str) -> Any:
    """The value of a JSON member; None where there is none that can be read."""
    try:
        return json.loads(wheel.text(name) or "null")
    except (ValueError, RecursionError):
        return None


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


# METADATA of CPU wheels lists what only CUDA builds use (torch for Windows, and for aarch64 up to 2.10).
_OF_CUDA = ("nvidia-", "cuda-", "triton")


def _cpu(wheel: RemoteWheel) -> Facts:
    """A CPU build needs its torch, keras and numpy as any other does, and no CUDA library."""
    found = requirements(wheel.metadata(), wheel.file)
    return {"variant": CPU, "requires": [one for one in found if not one.startswith(_OF_CUDA)]}


def _with_pins(facts: Facts, wheel: RemoteWheel, extra: str = "") -> Facts:
    metadata = wheel.metadata()
    requires = requirements(metadata, wheel.file)
    if extra:
        requires = tuple(sorted({*requires, *requirements(metadata, wheel.file, extra)}))
        facts["extra"] = extra
    facts["requires"] = list(requires)
    for field, pattern in (("cudnn", r"nvidia-cudnn-cu\d\d"), ("nccl", r"nvidia-nccl-cu\d\d"), ("triton", "triton")):
        if version := exact(requires, pattern):
            facts[field] = version
    return facts


READERS: dict[str, Reader] = {
    "torch": torch,
    "torchvision": version_py,
    "torchaudio": version_py,
    "triton": metadata_only("any"),
    "tensorflow": tensorflow,
    "tensorflow-cpu": metadata_only(CPU),
    "keras": metadata_only("any"),
    "tf-keras": metadata_only("any"),
    "jax": jax,
    "jaxlib": metadata_only(CPU),
    "jax-cuda12-plugin": metadata_only("cu12", "with-cuda"),
    "jax-cuda12-pjrt": metadata_only("cu12"),
    "jax-cuda13-plugin": metadata_only("cu13", "with-cuda"),
    "jax-cuda13-pjrt": metadata_only("cu13"),
    "cupy-cuda11x": cupy("cu11"),
    "cupy-cuda12x": cupy("cu12"),
    "cupy-cuda13x": cupy("cu13"),
    "onnxruntime-gpu": onnxruntime,
    "vllm": vllm,
    "xformers": xformers,
    "bitsandbytes": bitsandbytes,
    "cudf-cu12": metadata_only("cu12"),
    "cudf-cu13": metadata_only("cu13"),
    "cuda-toolkit": cuda_toolkit,
    "cuda-bindings": of_its_version,
    "numba-cuda": metadata_only("any"),  # it compiles at run time; an extra tells the CUDA
    # By their libraries alone: a package whose wheels lie on the default index needs a line here, and no more.
    **dict.fromkeys(
        (
            "auto-gptq",
            "autoawq",
            "autoawq-kernels",
            "catboost",
            "ctranslate2",
            "cugraph-cu12",
            "cugraph-cu13",
            "cuml-cu12",
            "cuml-cu13",
            "cumm-cu120",
            "cuvs-cu12",
            "cuvs-cu13",
            "dgl",
            "faiss-gpu",
            "faiss-gpu-cu12",
            "faster-whisper",
            "fbgemm-gpu",
            "flashinfer-cubin",
            "flashinfer-python",
            "gsplat",
            "llmcompressor",
            "libcuvs-cu12",
            "libcuvs-cu13",
            "lmdeploy",
            "mxnet",
            "nvidia-cutlass-dsl",
            "nvidia-dali-cuda120",
            "nvidia-dali-cuda130",
            "onnxruntime-genai-cuda",
            "pytorch3d",
            "rmm-cu12",
            "rmm-cu13",
            "sgl-kernel",
            "sglang",
            "sglang-kernel",
            "spconv-cu102",
            "spconv-cu113",
            "spconv-cu114",
            "spconv-cu116",
            "spconv-cu117",
            "spconv-cu118",
            "spconv-cu120",
            "spconv-cu121",
            "spconv-cu124",
            "spconv-cu126",
            "torch-tensorrt",
            "torchao",
            "torchcodec",
            "torchrec",
            "transformer-engine-cu12",
            "transformer-engine-cu13",
            "warp-lang",
            "whisperx",
            "xgboost",
        ),
        libraries,
    ),
}
