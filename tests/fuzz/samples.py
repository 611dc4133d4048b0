"""Real texts, and texts like them, from the tests and from this repository itself."""

import io
import json
import zipfile
from functools import cache

from cudafit.model.bench import SCHEMA, Bench, Device, Result
from cudafit.model.record import to_plain
from tests.doctor import container_cases, test_cases_code
from tests.elf_files import fatbin, library
from tests.fuzz.places import LIBRARY, repository
from tests.lint.test_scripts import _scripts
from tests.lock.test_golden import OLD_PROJECT
from tests.matrix.harvest.server import wheel
from tests.system import test_secrets


def _texts(*values: str) -> list[bytes]:
    return [value.encode() for value in values]


def _json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def odd_texts() -> list[bytes]:
    return _texts(
        "a plain line",
        "\x1b[31mred\x1b[0m \u202eturned\u2066 \x9b2J\r\n::error::x\t\u2028z",
        "https://user:word@example.org/a?token=1 --password=x API_KEY: y",
        "${A:-b} $$ ${A:+c} $A ${B-} '$(x)' \"q\" \\\\ `x`",
        "cp -a '/p/a b' /tmp/\udcff".encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    )


def secrets() -> list[bytes]:
    return [*odd_texts(), *(str(one).encode("utf-8", "replace") for one in test_secrets._SEEDS)]


def secret_trees() -> list[bytes]:
    tree = {"command": ["curl", "-u", "user:word", "https://a:b@c/?sig=1"], "env": {"HF_TOKEN": "hf_abc", "A": None}}
    return _json(tree, {"a": [tree, {"password": {"x": ["y", 1, True]}}]})


def requirements() -> list[bytes]:
    return _texts(
        "torch",
        "torch==2.6.0+cu126",
        "torch[a,b]>=2.6,<3 ; python_version >= '3.9' and sys_platform == 'linux'",
        "torch @ https://user:word@example.org/torch-2.6-cp312-cp312-linux_x86_64.whl#sha256=00",
        "Jax[cuda12_local] ~= 0.4, != 0.5.*; (extra == 'x' or os_name != \"nt\") and platform_machine in 'x86_64 arm'",
    )


def requirement_files() -> list[bytes]:
    return _texts(
        "# mine\ntorch>=2 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\n-i https://a/simple\n-e .\n"
        "numpy # why\n./x.whl\ngit+https://a/b\n"
    )


def literals() -> list[bytes]:
    return _texts(
        "__version__ = '2.6.0+cu126'\ncuda: str = '12.6'\nhip = None\ndebug = False\n",
        "import collections\nbuild_info = collections.OrderedDict([('is_cuda_build', True), ('cuda', ['sm_80'])])\n",
        "a = {'b': (1, -2.5), 'c': {1, 2}}\nb = c = d.e = f(1)\nif x:\n    y = 1\n",
    )


def shell_lines() -> list[bytes]:
    return _texts(
        "pip install torch && A=1 B='x y' uv pip install -r a.txt || true; export UV_INDEX=x\nif a; then b; fi\n",
        "for i in 1 2; do sudo env pip install x; done | cat\n(cd a && make)\n# no\n",
    )


def command_lines() -> list[bytes]:
    return _texts(
        "python3\0-u\0-m\0torch.distributed.run\0--nproc=2\0train.py\0--token\0secret",
        "accelerate\0launch\0--config_file=x\0a/b.py",
        "ssh\0host\0python\0-c\0import torch",
        "env\0A=b\0conda\0run\0-n\0x\0python\0-W\0ignore\0x.ipynb",
    )


@cache
def _containers(compose: bool) -> tuple[bytes, ...]:
    cases = [text for one in container_cases.FILE_CASES for text in (one.bad, one.good, *one.more.values())]
    made = sorted({text for text in cases if text.startswith("services:") == compose}, key=len)
    return tuple(text.encode() for text in made)


def dockerfiles() -> list[bytes]:
    heredoc = "FROM a AS b\nRUN <<EOF\npip install torch\nEOF\nCOPY --from=b /x /y\nENV A=1 B='c d'\nARG C=${A:-1}\n"
    return [
        heredoc.encode(),
        *repository("tests/lock/golden/Dockerfile*", "templates/**/Dockerfile*"),
        *_containers(False),
    ]


def compose_files() -> list[bytes]:
    merged = (
        "x-a: &a {environment: {A: '${A:-1}'}}\nservices:\n  one:\n    <<: *a\n    build: {context: ., "
        "dockerfile_inline: 'FROM a', args: [B=1]}\n    gpus: all\n    volumes: [{target: /dev/shm}]\n"
        "  two:\n    extends: {service: one}\n"
    )
    return [merged.encode(), *repository("tests/lock/golden/compose.yaml"), *_containers(True)]


def pip_conf() -> list[bytes]:
    return _texts("[global]\nindex-url = https://user:word@example.org/simple\n[install]\nindex-url: b\n  c\n; x\n")


def uv_toml() -> list[bytes]:
    return _texts('[[index]]\nname = "a"\nurl = "https://example.org"\ndefault = true\n', 'index-url = "https://a"\n')


def config_toml() -> list[bytes]:
    return _texts('[indexes]\npytorch = "https://a"\nconda = "https://b"\n')


def pyprojects() -> list[bytes]:
    return [OLD_PROJECT.encode(), *repository("tests/lock/golden/pyproject.toml", "pyproject.toml")]


def pixi_locks() -> list[bytes]:
    address = "https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.13.0-cuda129_mkl_h0_200.conda"
    return _texts(
        "version: 6\nenvironments:\n  default:\n    channels:\n    - url: https://conda.anaconda.org/conda-forge/\n"
        f"    packages:\n      linux-64:\n      - conda: {address}\npackages:\n- conda: {address}\n"
        f"  sha256: {'a' * 64}\n  md5: {'a' * 32}\n  depends:\n  - python\n",
        f"version: 5\nenvironments: {{default: {{packages: {{linux-64: [{{conda: {address}}}]}}}}}}\n"
        f"packages:\n- {{kind: conda, url: {address}, md5: {'a' * 32}}}\n",
    )


def uv_errors() -> list[bytes]:
    return _texts(
        "  \u00d7 No solution found when resolving dependencies:\n  ╰─▶ Because torch was not found in the package "
        "registry and your-request depends on torch==9, we can conclude that your requirements are unsatisfiable.\n",
        "error: Failed to fetch: `https://a/torch/`\n  Caused by: Request failed\n  Caused by: dns error\n",
        "warning: x\nerror: Failed to install: a.whl\n  Caused by: Hash mismatch for `a`\n\nExpected:\n  sha256:00\n",
        "error: No space left on device (os error 28)\n",
    )


def annotations() -> list[bytes]:
    return _texts("torch==2.6\n    # from https://user:word@a/\nnumpy @ https://b\n    # from https://c\n")


def nvidia_smi() -> list[bytes]:
    row = "0, NVIDIA GeForce RTX 4090, GPU-1, 00000000:01:00.0, 550.54.15, 24564, 512, 8.9, [N/A], Default, 41\n"
    return _texts(
        row + row.replace("0,", "1,", 1).replace("[N/A]", "Enabled"),
        "NVIDIA-SMI version  : 550.54.15\nNVML version        : 550.54\nCUDA Version        : 12.4\n",
        'Field "compute_cap" is not a valid field to query.\n',
    )


def nvml() -> list[bytes]:
    """Lines as the child writes them, between what a library prints."""

    def fact(key: str, value: object, gpu: int | None = None, part: int | None = None) -> str:
        return json.dumps({"key": key, "gpu": gpu, "part": part, "value": value})

    lines = [
        fact("init", True),
        fact("driver", "580.65.06"),
        fact("cuda", 13000),
        fact("library_path", "/usr/lib/libnvidia-ml.so.580.65.06"),
        "libcuda: hello",
        fact("name", "NVIDIA H100", 0),
        fact("memory", [85899345920, 1048576], 0),
        fact("compute_capability", [9, 0], 0),
        json.dumps({"key": "power", "gpu": 0, "part": None, "code": 3, "text": "Not Supported"}),
        json.dumps({"call": "name", "gpu": 1}),
    ]
    return _texts("\n".join(lines), "\n".join(["{}", "[1]", "null", '{"key": 1', "x" * 100, *lines[:2]]))


def notebooks() -> list[bytes]:
    code = ["%matplotlib inline\n", "!pip install torch\n", "import torch\n", "x = torch.zeros(3).to('cpu')\n", "?x"]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# A"},
        {"cell_type": "code", "metadata": {}, "source": code, "outputs": [{"data": {"image/png": "iVBORw0KGgo=" * 9}}]},
        {"cell_type": "code", "source": "%%time\n%env A=b\ny = !ls\nfor a in b:\n  a.step()\n", "outputs": []},
    ]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "print(1)\n"}]}], "nbformat": 3}
    return _json({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, old)


@cache
def _code() -> tuple[bytes, ...]:
    parts = (test_cases_code.HEAD, test_cases_code.TRAINER, test_cases_code.TENSORFLOW, test_cases_code.FORCED)
    return tuple(one.encode() for one in sorted({*parts, *(script for _, script, _ in _scripts())}, key=len))


def scripts() -> list[bytes]:
    return list(_code())


def configurations() -> list[bytes]:
    return _texts(
        "model:\n  name: a\n  device: cpu  # why\ntrainer: {accelerator: 'cpu', devices: 1}\nuse_cpu: true\n",
        '{\n "model": {"device": "cpu", "use_cpu": true},\n "infer": {"device": "cpu"}\n}\n',
        "[model]\ndevice = 'cpu'\n[trainer.a]\naccelerator = \"cpu\" # x\nno_cuda = true\n",
    )


def encoded() -> list[bytes]:
    text = "# -*- coding: {} -*-\nimport torch\nx = torch.zeros(1).to('cpu')  # é\n"
    return [text.format(name).encode(name) for name in ("utf-8", "latin-1", "utf-16", "utf-7")] + [
        b"\xef\xbb\xbfx = 1\n"
    ]


def libraries() -> list[bytes]:
    empty = library()
    return [
        LIBRARY,
        LIBRARY + fatbin("sm_80", "sm_90a", "compute_100"),
        empty,
        fatbin("sm_75"),
        b"\0sm_80 sm_90\0\0sm_75\0",
    ]


def journals() -> list[bytes]:
    good = {
        "schema": "cudafit.journal/1",
        "step": "apply",
        "environment": ".state",
        "new": False,
        "generation": "1",
        "replaced": None,
        "reason": "repair",
        "started": "2026-11-21T12:00:00Z",
        "pid": 1,
        "host": "here",
        "command": "cudafit repair",
    }
    return _json(good)


def generations() -> list[bytes]:
    return _json(
        {"schema": "cudafit.generation/1", "time": "2026-11-21T12:00:00Z", "reason": "repair", "files": 1, "bytes": 2}
    )


def manifests() -> list[bytes]:
    rows = [["", "folder", 493, 0, 1, None], ["a", "file", 420, 5, 1, None], ["b", "link", 511, 0, 1, "../x"]]
    return _json({"schema": "cudafit.manifest/1", "items": rows})


def holders() -> list[bytes]:
    return _json({"pid": 1, "host": "here", "command": "cudafit repair", "since": "2026-11-21T12:00:00Z"})


def benches() -> list[bytes]:
    result = Result("matmul", "float32", 50.5, "TFLOP/s", 60.0, 0.84, 1e-4, "pass", "torch", "speed", samples=9)
    made = Bench("pass", Device("NVIDIA H100", True, "nvml", "cuda", "cuda:0"), (result,), date="2026-01-01")
    return _json({"schema": SCHEMA, **to_plain(made)})


def payloads() -> list[bytes]:
    result = {"test": "matmul", "dtype": "float32", "kind": "right", "max_error": 0.001, "where": "cuda:0"}
    lines = [
        {"at": "start", "pid": 1},
        {"at": "imported", "version": "2.6", "seconds": 1.5},
        {"at": "devices", "devices": ["a"]},
        {"at": "context", "held_mib": 400, "where": "cuda:0"},
        {"result": result},
        {"framework": "torch", "version": "2.6", "devices": 1, "worked": [[0, True]], "step": "x", "error": None},
        {"error": "RuntimeError: no"},
    ]
    return ["\n".join(json.dumps(one) for one in lines).encode(), *_json(*lines)]


def html_pages() -> list[bytes]:
    name = "torch-2.6.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    link = f'<a href="../../{name}#sha256={"a" * 64}" data-requires-python="&gt;=3.9" data-yanked="x">{name}</a><br/>\n'
    return _texts(f"<!DOCTYPE html><html><head><base href='a'></head><body>\n{link * 3}</body></html>")


_MEMBERS: dict[str, dict[str, str | bytes]] = {
    "torch": {
        "torch/version.py": "__version__ = '2.6.0+cu126'\ncuda = '12.6'\n",
        "torch/lib/libtorch_python.so": b"\0sm_80 sm_90\0",
    },
    "tensorflow": {
        "tensorflow/python/platform/build_info.py": "build_info = {'is_cuda_build': True, 'cuda_version': '12.5.1', "
        "'cudnn_version': '9', 'cuda_compute_capabilities': ['sm_80']}\n"
    },
    "jax": {},
    "xformers": {"xformers/cpp_lib.json": '{"version": {"cuda": 1206}}'},
    "cupy-cuda12x": {"cupy/.data/_wheel.json": '{"cudnn": {"version": "8.9.2"}, "nccl": {"version": "2.16"}}'},
    "onnxruntime-gpu": {"onnxruntime/capi/build_and_package_info.py": "cuda_version = '12.8'\n"},
    "cuda-toolkit": {},
}


def wheels(package: str) -> list[bytes]:
    requires = (
        "Provides-Extra: cuda12\nProvides-Extra: cudart\n"
        "Requires-Dist: nvidia-cudnn-cu12==9.10.2.21; platform_system == 'Linux'\n"
        "Requires-Dist: jax-cuda12-plugin[with-cuda]<=0.5,>=0.4; extra == 'cuda12'\n"
        "Requires-Dist: nvidia-cuda-runtime==12.8.*; extra == 'cudart'"
    )
    made = [wheel(_MEMBERS[package], package.replace("-", "_"), "2.6.0", requires)]
    return [*made, *(change(made[0]) for change in (_stored, _with_comment))]


def _stored(data: bytes) -> bytes:
    """The same without compression, so that what is changed in it is text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return out.getvalue()


def _with_comment(data: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"PK\x05\x06" * 8
    return out.getvalue()
