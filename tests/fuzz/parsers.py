"""Every parser of foreign text: its entry, real texts to begin with, the words of its texts, what may make it slow.

What reads the text of somebody else gets one entry here, and is fuzzed and timed with all the others (`make fuzz`,
tests/fuzz/test_parsers.py, tests/fuzz/test_growth.py).
"""

import json
from functools import cache, partial

from cudafit.bench import history
from cudafit.lint.check import UnreadableError, configurations_named, lint_text
from cudafit.lock import uv
from cudafit.lock.conda_held import locked_records
from cudafit.lock.formats import FORMATS
from cudafit.machine.saved import load
from cudafit.matrix.yaml_text import MatrixSyntaxError
from cudafit.matrix.yaml_text import load as load_yaml
from cudafit.model.literals import assignments
from cudafit.model.requirement import is_specifier
from cudafit.project.compose import read_compose
from cudafit.project.dockerfile import read_dockerfile
from cudafit.project.nearby import read_nearby
from cudafit.project.notebooks import bang_pip
from cudafit.project.placeholders import filled
from cudafit.project.requirement_files import read_requirement_file
from cudafit.repair.engines.uv import _failure
from cudafit.repair.engines.venv_locks import given_lock
from cudafit.sources import Task, decoded, read_file
from cudafit.system.commands import command_text
from cudafit.system.mounts import parse_mounts_below
from cudafit.system.text import harmless, harmless_lines
from cudafit.system.toml import TomlError, read_document, read_toml
from cudafit.watch.hints import hints_in
from tests.fuzz import readers, samples
from tests.fuzz.parser import Parser, binary, file, folder, name_of, text, tree
from tests.fuzz.places import MACHINE, SITE, repository, venv, whole

_REQUIREMENTS = (
    "torch jax[cuda12] == >= <= != ~= === < > , ; @ [ ] ( ) 'linux' python_version sys_platform extra and or \
in not\\tin -r -c --hash=sha256: --index-url \\\\\\n # file:///x git+https:// 1!2.0.post1.dev3+cu126 .* # ${A}"
)
_TOML = '[[ ]] [project] dependencies = [ ] { } """ \'\'\' \\" \\u0041 . 1979-05-27T07:32:00Z 0x1F inf nan 1e5 true #'
_YAML = "- : ? | > & * << !! % --- ... { } [ ] , # \\n\\x20\\x20 ~ null yes 0o7 1_0 .inf &a *a !!binary !!set \\t @ `"
_PYTHON = (
    "import torch .to('cpu') .cuda() def class for while with try except lambda yield await match case : = ( ) [ ] \
device optimizer.step() loss.backward() nn.Module super().__init__() @ *args **kw f'{x}' \\n\\x20\\x20\\x20\\x20 # \
cudafit:\\x20ignore [code.model_on_cpu] DataLoader jax.jit tf.device('/cpu:0') .numpy() torch.device"
)
_DOCKERFILE = (
    "FROM AS ARG ENV RUN COPY --from=0 ADD # escape=` \\\\\\n <<EOF \\nEOF\\n <<-'A' $ ${A} ${A:-b} pip install torch \
&& || ; | ( ) if then fi export UV_INDEX=x PIP_INDEX_URL=y -i https://a/whl/cu126 [\"a\"] --mount=type=cache"
)
_COMPOSE = (
    _YAML
    + " services build image deploy resources reservations devices driver nvidia count all device_ids \
capabilities gpu environment extends file service runtime gpus ${A:-1} $$ dockerfile_inline"
)
_METADATA = "\\nName: \\nVersion: \\nRequires-Dist: \\nTag: \\n\\n torch==2 ; extra== 'x' Metadata-Version: \\x20\\x20"
_LOG = (
    "NVRM Xid nvidia nvidia_uvm nouveau PM: suspend exit hibernation \\n [ 1.0] ; , module\\x20verification\\x20failed"
)
_SECRETS = "https://user:word@ token= --password secret api_key: , ; %40 /t/tk-0-0/ ?sig= Bearer\\x20 -u \
-----BEGIN\\x20PRIVATE\\x20KEY----- hf_ ghp_ AKIA eyJ . \
\\' \\\\ ${A} $(a) *** -H Authorization:\\x20Basic\\x20 \\x20 \\n :// @ :"
_LOCK = _REQUIREMENTS + " @EXPLICIT .conda .tar.bz2 sha256: manager: conda package: url: hash: platform: linux-64"


def _json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _read_source(path: str) -> object:
    return read_file(Task(path))


def _texts(*values: str) -> list[bytes]:
    return [value.encode() for value in values]


_TEXT = (
    Parser(
        "requirement",
        text(readers.requirement_line),
        samples.requirements,
        _REQUIREMENTS,
        (("a[", " ", "\0"), ("a", " ", "\0"), ("a;", "(", ""), ("a==1", ",==1", "!"), ("a; x==1", " and x==1", "")),
    ),
    Parser("specifier", text(is_specifier), lambda: _texts("==1.2.*,!=1.3,<2", "~=1.4"), "== , < .* 1 ! + rc a"),
    Parser("version", text(readers.version), lambda: _texts("550.54.15", "2.6.0+cu126"), "1 . + cu rc"),
    Parser("harmless", text(lambda told: (harmless(told), harmless_lines(told))), samples.odd_texts),
    Parser("command", text(lambda told: command_text(*told.split(" "))), samples.odd_texts),
    Parser("secrets", text(readers.secret_text), samples.secrets, _SECRETS),
    Parser(
        "secrets in a tree",
        text(readers.secret_tree),
        samples.secret_trees,
        _SECRETS,
        errors=(ValueError, RecursionError),
    ),
    Parser(
        "gpu name", text(readers.gpu_name), lambda: _texts("NVIDIA GeForce RTX 4090 Laptop GPU", "GH100 [H100 SXM5]")
    ),
    Parser(
        "visible devices",
        text(readers.devices),
        lambda: _texts("0,1", "GPU-0,MIG-1", "all"),
        "0 1 , - GPU- MIG- all none",
    ),
    Parser("literals", text(assignments), samples.literals, "cuda = None {} [] ( ) OrderedDict 'a' : , \\n -"),
    Parser(
        "placeholders",
        text(lambda told: filled(told, {"A": "b" * 8000}, dollars=True)),
        samples.odd_texts,
        "$ ${A} ${A:- } $$",
    ),
    Parser(
        "shell",
        text(readers.shell),
        samples.shell_lines,
        _DOCKERFILE,
        (("", "a;", ""), ("", "if ", ""), ("'", "a ", "")),
    ),
    Parser("command line", text(readers.words), samples.command_lines, "\\0 python -m -c torchrun --token ssh env A=b"),
    Parser(
        "toml",
        binary(read_toml),
        lambda: repository("pyproject.toml", "tests/lock/golden/*.toml"),
        _TOML,
        errors=(TomlError,),
    ),
    Parser(
        "toml document",
        text(read_document),
        lambda: repository("pyproject.toml", "tests/lock/golden/pyproject.toml"),
        _TOML,
        errors=(TomlError,),
    ),
)
_PROJECTS = (
    Parser(
        "requirements.txt",
        file("requirements.txt", read_requirement_file),
        lambda: [*repository("tests/lock/golden/*requirements.txt"), *samples.requirement_files()],
        _REQUIREMENTS,
        (("a", " ", "x"), ("", "\\\n", ""), ("a", " #", ""), ("-r", " ", ""), ("a", " --hash", "")),
    ),
    Parser(
        "pyproject.toml",
        folder("pyproject.toml", read_nearby),
        lambda: repository("pyproject.toml", "tests/lock/golden/pyproject.toml"),
        _TOML + " " + _REQUIREMENTS,
    ),
    Parser("notebooks", folder("a.ipynb", bang_pip), samples.notebooks, '"source" "cells" !pip install'),
    Parser(
        "pip.conf",
        folder(".config/pip/pip.conf", readers.configured),
        samples.pip_conf,
        "[global] index-url = : \\n\\x20 % (",
    ),
    Parser("uv.toml", folder(".config/uv/uv.toml", readers.configured), samples.uv_toml, _TOML + " index url default"),
    Parser("config.toml", folder(".config/cudafit/config.toml", readers.configured), samples.config_toml, _TOML),
    Parser(
        "Dockerfile",
        file("Dockerfile", read_dockerfile),
        samples.dockerfiles,
        _DOCKERFILE,
        (
            ("FROM a\nENV ", "UV_INDEX=1 ", "\nRUN " + "a;" * 3000),
            ("FROM a\nRUN ", "a;", ""),
            ("FROM a\n", "RUN a\n", ""),
            ("FROM a\n", "ENV PIP_INDEX=1\nRUN a\n", ""),
            ("FROM a\nRUN <<A", "\n<<A", ""),
            ("FROM a\nRUN ", "<<A ", "\n"),
            ("", "FROM a AS b\n", ""),
            ("FROM a\nRUN ", "--a ", ""),
            ("FROM a\nRUN ", "env ", ""),
            ("FROM a\nENV A=", "$A", ""),
            ("FROM a\nENV A=" + "b" * 8000 + "\nRUN ", "$A", ""),
            ("FROM a\nENV ", "A=1 ", "\n" + "FROM a\n" * 300),
            ("FROM a AS b\nENV ", "A%d=1 ", "\n" + "FROM b\n" * 300),
            ("FROM a\nENV ", "UV_INDEX_A%d=1 ", "\nRUN " + "UV_INDEX=1 a;" * 300),
            ("FROM a\nRUN ", "export UV_INDEX_A%d=1;", ""),
            ("", "FROM a%d AS a%n\n", ""),
        ),
    ),
    Parser(
        "compose",
        file("compose.yaml", lambda path: read_compose([path], {"A": "b"})),
        samples.compose_files,
        _COMPOSE,
        (
            ("services:\n", "  a: {image: b}\n", ""),
            ("services: {a: {environment: [", "a=1, ", "]}}"),
            ("services:\n  s0: {}\n", "  s%n: {extends: s%d}\n", ""),
            ("x: &x [" + "a=1, " * 20 + "]\nservices:\n  s0: {}\n", "  s%n: {extends: s%d, environment: *x}\n", ""),
            ("services:\n", "  s%d: {build: {context: ., dockerfile_inline: FROM a}}\n", ""),
        ),
    ),
)
_LOCKS = (
    *(
        Parser(
            f"held {form.example}",
            file(form.example, readers.lock),
            partial(repository, f"tests/lock/golden/{form.example}"),
            _LOCK + " " + {"toml": _TOML, "yml": _YAML}.get(form.example.rpartition(".")[2], ""),
        )
        for form in FORMATS
        if form.read
    ),
    *(
        Parser(f"records {name}", file(name, lambda path: locked_records(path, "linux-64")), seeds, _LOCK + " " + words)
        for name, seeds, words in (
            ("conda-lock.yml", partial(repository, "tests/lock/golden/conda-lock.yml"), _YAML),
            ("explicit.txt", partial(repository, "tests/lock/golden/explicit.txt"), ""),
            ("pixi.lock", samples.pixi_locks, _YAML),
        )
    ),
    *(
        Parser(
            f"given {name}",
            file(name, lambda path: given_lock(path, None)),
            partial(repository, f"tests/lock/golden/{name}"),
            _LOCK + " " + _TOML,
        )
        for name in ("requirements.txt", "pylock.toml")
    ),
    Parser(
        "edited pyproject.toml",
        text(readers.edited_pyproject),
        samples.pyprojects,
        _TOML + " tool uv sources index name url explicit torch",
    ),
    Parser(
        "uv's lock",
        text(uv._read),
        partial(repository, "tests/lock/golden/pylock.toml"),
    ),
    Parser("uv's errors", text(lambda told: (uv.failure(told), _failure(told, "install"))), samples.uv_errors),
    Parser(
        "uv's annotations", text(lambda told: uv._annotated(told, ["https://a"])), samples.annotations, "# from \\n =="
    ),
)
_MACHINES = (
    Parser("snapshot", file("m.json", load), partial(repository, "tests/machines/*.json"), 'null [] {} "gpus" "os"'),
    Parser(
        "nvidia-smi", text(readers.nvidia_smi_text), samples.nvidia_smi, "[N/A] , MiB Enabled \\n CUDA Version : Field"
    ),
    Parser("nvml", text(readers.nvml_lines), samples.nvml, '"key" "value" "gpu" "code" "text" "part" null [] {}'),
    *(
        Parser(
            f"machine {name_of(path)} {number}"
            if "version" in path or "cgroup" in path
            else f"machine {name_of(path)}",
            tree(partial(dict, MACHINE), path, readers.machine),
            partial(lambda one: [one], content),
            _LOG if path.startswith("var/log") else "",
        )
        for number, (path, content) in enumerate(MACHINE.items())
        if not path.startswith(("proc/17", "root/", "usr/share/jupyter"))
    ),
    *(
        Parser(
            f"around {name_of(path)}",
            tree(partial(dict, MACHINE), path, readers.around),
            partial(lambda one: [one], content),
            '\\0 -m jupyter lab "argv" "env" null [] {}',
        )
        for path, content in MACHINE.items()
        if path.startswith(("proc/17", "usr/share/jupyter"))
    ),
    *(
        Parser(
            f"process {name}",
            readers.process(name),
            partial(lambda one: [MACHINE[f"proc/17/{one}"]], name),
            "( ) \\0 =",
        )
        for name in ("stat", "cmdline", "environ", "maps")
    ),
    Parser(
        "mountinfo",
        text(lambda told: parse_mounts_below(told, "/a")),
        lambda: _texts("36 35 98:0 / /a/b\\040c rw,noatime shared:1 - ext4 /dev/root rw\n" * 3),
        "\\\\040 \\\\777 /a/ \\n",
    ),
)


def _in_environment(name: str, path: str, words: str = "") -> Parser:
    return Parser(
        f"environment {name}",
        tree(whole, path, readers.environment),
        lambda: [venv()[path]],
        words,
    )


_ENVIRONMENTS = (
    _in_environment("pyvenv.cfg", "env/pyvenv.cfg", "home version include-system-site-packages = true \\n /"),
    _in_environment("METADATA", f"{SITE}/torch-2.14.1.dist-info/METADATA", _METADATA),
    _in_environment("RECORD", f"{SITE}/flash_attn-2.8.0.dist-info/RECORD", ",, .so ../ / \\n .cpython-312"),
    _in_environment("INSTALLER", f"{SITE}/torch-2.14.1.dist-info/INSTALLER"),
    _in_environment("WHEEL", f"{SITE}/torch-2.14.1.dist-info/WHEEL", _METADATA),
    _in_environment("direct_url.json", f"{SITE}/torch-2.14.1.dist-info/direct_url.json", '"url" "dir_info" :// @'),
    _in_environment(".pth", f"{SITE}/extra.pth", "import / ../ # \\n"),
    _in_environment("torch version", f"{SITE}/torch/version.py", "cuda = None 'a' ( { hip"),
    _in_environment("tensorflow build_info", f"{SITE}/tensorflow/python/platform/build_info.py", "( [ ' cuda_version"),
    _in_environment("xformers", f"{SITE}/xformers/cpp_lib.json", '"version" "cuda" null'),
    _in_environment("kernel list", f"{SITE}/torch/lib/libtorch_python.so", "sm_80 compute_90 \\0 \\x20"),
    _in_environment("library", f"{SITE}/torch/lib/libtorch_cuda.so"),
    _in_environment("extension", f"{SITE}/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so"),
    *(
        Parser(
            f"conda {name}",
            tree(whole, path, readers.conda),
            partial(lambda one: [whole()[one]], path),
            words,
        )
        for name, path, words in (
            ("record", "conda/conda-meta/pytorch-2.13.0-cuda129_mkl_h0_200.json", '"name" "files" "paths_data" null'),
            ("history", "conda/conda-meta/history", "# update specs: [ ' , \\n remove neutered"),
            ("pinned", "conda/conda-meta/pinned", "# =* \\n"),
            ("condarc", "root/.condarc", "envs_dirs: envs_path: - ~/ ' \\n"),
            ("environments.txt", "root/.conda/environments.txt", "/ \\n"),
        )
    ),
    Parser("elf", binary(readers.elf_file), samples.libraries),
)
_CODE = (
    Parser(
        "lint python",
        text(lambda told: (lint_text(told, "x.py"), configurations_named(told, "x.py"))),
        samples.scripts,
        _PYTHON,
        (
            ("import torch\n", "x = torch.zeros(1).to('cpu')\n", ""),
            ("import torch\nx = 1", ".a", ""),
            ("import torch\n", "def f(): f()\n", "m.step()"),
            ("import torch.", "a.", "b\nm.step()"),
            ("import torch\n", "self.a: ", "m.step()"),
            ("import torch\n# ", "a", ".yaml\n"),
            ("import torch\n", "if x:\n a.step()\n", ""),
            ("import torch\nx = [", "torch.zeros(1), ", "]\n"),
            ("import torch\nx = ", "a + ", "m.step()\n"),
            ("import torch\n", "def f%d():\n    f%n()\n", "m.step()\n"),
            ("import torch\n", "def f%n():\n    f%d()\n", "def f0():\n    m.step()\n"),
            ("import torch\n", "class A%n(A%d):\n    pass\n", "m.step()\n"),
            ("import torch\n", "x%n = x%d\n", "m.step()\n"),
            ("import torch\n", "import a%d\n", "m.step()\n"),
        ),
        errors=(UnreadableError,),
    ),
    Parser(
        "lint notebook",
        text(lambda told: (lint_text(told, "x.ipynb"), configurations_named(told, "x.ipynb"))),
        samples.notebooks,
        _PYTHON + ' %%bash !pip %env \\n "source" "cells" null',
        (('{"cells": [{"cell_type": "code", "source": "', "%a \\n", '"}]}'), ('{"cells": [], "x": "', "a", '"}')),
        errors=(UnreadableError,),
    ),
    *(
        Parser(
            f"lint {ending}",
            text(partial(lambda path, told: lint_text(told, path), f"x.{ending}")),
            samples.configurations,
            words + " device cpu accelerator use_cpu true no_cuda",
            errors=(UnreadableError,),
        )
        for ending, words in (("yaml", _YAML), ("json", '{ } " : ,'), ("toml", _TOML))
    ),
    Parser(
        "source", binary(decoded), samples.encoded, "# coding: utf-16 latin-1 \\n \\xff\\xfe", errors=(UnreadableError,)
    ),
    Parser(
        "source file",
        file("x.py", _read_source),
        samples.encoded,
        "# coding: rot13 idna punycode utf-7 \\n",
    ),
    Parser("hints", text(hints_in), samples.scripts, "DataLoader( num_workers = 0 device_map='auto' ) , **"),
)
_KEPT = (
    Parser(
        "journal",
        folder(".state.cudafit/journal.json", readers.state(readers.read_journal)),
        samples.journals,
    ),
    Parser(
        "generation",
        folder(".state.cudafit/generations/1/generation.json", readers.state(readers.generation)),
        samples.generations,
    ),
    Parser("manifest", folder("manifest.json", readers.read_manifest), samples.manifests),
    Parser("lock holder", file("lock", readers.held_lock), samples.holders),
    Parser("bench history", file("a.jsonl", history.read), samples.benches),
    Parser("bench baseline", file("a.json", history.load), samples.benches),
    Parser("bench payload", text(readers.payload), samples.payloads, '"result" "at" "error" "test" null'),
    Parser("deep probe", text(readers.probe), samples.payloads, '"framework" "worked" "devices" [[1,true]]'),
)
_MATRICES = (
    Parser(
        "matrix yaml",
        text(load_yaml),
        lambda: repository("matrices/*.yaml")[:6],
        _YAML,
        errors=(MatrixSyntaxError,),
    ),
    Parser(
        "matrix folder",
        folder("toolkits.yaml", readers.matrix_folder),
        lambda: repository("matrices/toolkits.yaml", "matrices/indexes.yaml", "matrices/places.yaml"),
        _YAML + " toolkits floors cuda sources version",
    ),
    Parser(
        "index page (JSON)",
        readers.page(readers.JSON_PAGE),
        lambda: [readers.torch_page()],
        '"files" "hashes" "yanked" .whl - py3 "meta"',
        errors=readers.HARVEST,
    ),
    Parser(
        "index page (HTML)",
        readers.page(readers.HTML_PAGE),
        samples.html_pages,
        "<a href= > </a> #sha256= data-yanked .whl - & ; <base <!-- <meta",
        errors=readers.HARVEST,
    ),
    *(
        Parser(
            f"wheel {package}",
            readers.wheel_parts(package),
            partial(samples.wheels, package),
            errors=readers.HARVEST,
        )
        for package in ("torch", "tensorflow", "jax", "xformers", "cupy-cuda12x", "onnxruntime-gpu", "cuda-toolkit")
    ),
)

PARSERS: tuple[Parser, ...] = (
    *_TEXT,
    *_PROJECTS,
    *_LOCKS,
    *_MACHINES,
    *_ENVIRONMENTS,
    *_CODE,
    *_KEPT,
    *_MATRICES,
)


@cache
def by_name() -> dict[str, Parser]:
    return {one.name: one for one in PARSERS}
