"""The installations that the commands of a RUN line make: by pip, uv, conda, and the distribution's packages.

Sources: the command lines of `pip install`, `uv pip install`, `conda install`, `apt-get install`.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import field

from cudafit.errors import InputError
from cudafit.model.container_files import Command
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, wanted

PIP, UV, CONDA, SYSTEM = "pip", "uv", "conda", "system"
# Options that take the next word; without this list that word would look like a package.
_TAKES_TEXT = (
    "-i --index-url --extra-index-url --default-index --index -f --find-links -r --requirement --requirements "
    "-c --constraint --constraints -t --target -p --python --prefix --root --platform --python-version "
    "--torch-backend --cache-dir --timeout --retries --trusted-host --no-binary --only-binary --progress-bar "
    "--index-strategy --config-settings --config-setting --extra --group --implementation --abi --src "
    "--upgrade-strategy --override --link-mode --resolution --exclude-newer --keyring-provider --proxy --log "
    "--reinstall-package --upgrade-package -P -n --name --channel --file --allow-insecure-host "
    "--build-constraint --report --repo -o --release"
)
_TAKES = frozenset(_TAKES_TEXT.split())
_WHEEL = re.compile(r"torch-\d[\w.]{0,60}(?:%2[bB]|\+)(cpu|cu\d{1,4})[\w.]{0,60}-")
_INDEX = re.compile(r"/whl/(?:nightly/|test/)?(cpu|cu\d{2,3})(?:/|$)")

_KIND_OF_INDEX = re.compile(r"/whl/(?:nightly/|test/)?(cpu|cu\d{2,3}|rocm[\d.]+|xpu)(?:/|$)")


@frozen
class Install:
    """One installation: its packages as they are written, and the options that choose builds."""

    tool: str
    command: Command
    packages: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = field(default=())

    def option(self, *names: str) -> list[str]:
        return [value for name, value in self.options if name in names]

    def variable(self, *names: str) -> str | None:
        given = dict(self.command.variables)
        return next((given[name] for name in names if given.get(name)), None)

    def requirement(self, name: str) -> Wanted | None:
        """The package among those that are asked for by name."""
        return next((one for one in self.wanted if one.name == name), None)

    @property
    def wanted(self) -> Iterator[Wanted]:
        for text in self.packages:
            try:
                yield wanted(text)
            except InputError:
                continue


def installs(commands: Sequence[Command]) -> Iterator[Install]:
    for command in commands:
        words = [command.words[0].rsplit("/", 1)[-1], *command.words[1:]]
        if re.fullmatch(r"python[\d.]*", words[0]) and words[1:3] == ["-m", "pip"]:
            words = ["pip", *words[3:]]
        tool, rest = _tool(words)
        if tool:
            packages, options = _parted(rest)
            yield Install(tool, command, tuple(packages), tuple(options))


def _tool(words: list[str]) -> tuple[str | None, list[str]]:
    if re.fullmatch(r"pip[\d.]*", words[0]) and "install" in words[1:3]:
        return PIP, words[words.index("install") + 1 :]
    if words[0] == "uv" and words[1:3] == ["pip", "install"]:
        return UV, words[3:]
    if words[0] == "uv" and words[1:2] == ["add"]:
        return UV, words[2:]
    if words[0] in ("conda", "mamba", "micromamba"):
        verb = next((word for word in words[1:] if word in ("install", "create")), None)
        return (CONDA, words[words.index(verb) + 1 :]) if verb else (None, [])
    if words[0] in ("apt", "apt-get", "aptitude", "dnf", "yum", "microdnf", "tdnf", "zypper"):
        return (SYSTEM, words[words.index("install") + 1 :]) if "install" in words else (None, [])
    return None, []


def _parted(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    packages: list[str] = []
    options: list[tuple[str, str]] = []
    rest = deque(words)
    while rest:
        word = rest.popleft()
        if not word.startswith("-"):
            packages.append(word)
            continue
        name, sign, value = word.partition("=")
        if not sign and rest and (name == "-c" or name in _TAKES):
            value = rest.popleft()
        elif re.match(r"-[rif][^-]", word):
            name, value = word[:2], word[2:]
        options.append((name, value))
    return packages, options


def variant_of_index(url: str) -> str | None:
    """Of one of PyTorch's indexes, or of a mirror that is laid out as they are: `cpu`, `cu118`, `rocm6.3`."""
    match = _KIND_OF_INDEX.search(url)
    return match[1] if match else None


def torch_variant(install: Install) -> str | None:
    """Where torch is taken from: `cpu`, `cu126`, `auto`, `default` or `extra-cu126`; None where that cannot be told."""
    for text in install.packages:
        if match := _WHEEL.search(text):
            return match[1]
    want = install.requirement("torch")
    if want is None:
        return None
    if match := re.search(r"\+(cpu|cu\d+)", want.specifier):
        return match[1]
    backend = install.option("--torch-backend") or [install.variable("UV_TORCH_BACKEND") or ""]
    if install.tool == UV and backend[-1]:
        return backend[-1] if re.fullmatch(r"auto|cpu|cu\d+", backend[-1]) else None
    return _by_index(install) if not want.url else None


def _by_index(install: Install) -> str | None:
    uv = install.tool == UV
    main = install.option("-i", "--index-url", "--default-index")
    told = install.variable(*(("UV_DEFAULT_INDEX", "UV_INDEX_URL") if uv else ("PIP_INDEX_URL",)))
    main = main or ([told] if told else [])
    extra = install.option("--extra-index-url", "--index")
    more = install.variable(*(("UV_INDEX", "UV_EXTRA_INDEX_URL") if uv else ("PIP_EXTRA_INDEX_URL",)))
    extra = extra or (more.split() if more else [])
    found = [match[1] if (match := _INDEX.search(one)) else None for one in extra]
    if uv and found:
        return found[0]  # the first index that has a package is the only one asked
    if main:
        match = _INDEX.search(main[-1])
        return match[1] if match and not extra else None
    if found:
        return f"extra-{found[0]}" if found[0] else None
    return None if install.option("-f", "--find-links", "--no-index") else "default"
