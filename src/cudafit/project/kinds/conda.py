"""conda's environment.yml, with its part for pip, whatever the file is called.

Source: conda's documentation, "Creating an environment file manually".
"""

import os
import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.declaration import Bound, Chosen, Declaration
from cudafit.model.requirement import Wanted
from cudafit.project.conda_specs import chosen_by, spec_of
from cudafit.project.installer_lines import Sorted, sorted_lines
from cudafit.project.requirement_files import is_address, read_requirement_file
from cudafit.project.tables import Unread, requirement
from cudafit.project.yaml_nodes import Node, entries, get, items, line, root_node, text


def read(path: str, told: str) -> Declaration | None:
    """None for YAML of another kind."""
    root = root_node(_without_templates(told), path)
    listed = get(root, "dependencies")
    if listed is None:
        return None
    reader = _Reader(path)
    for node in items_of(listed):
        reader.take(node)
    channels = get(root, "channels")
    for node in items(channels) if channels else ():
        reader.take_channel(text(node) or "", f"{path}:{line(node)}")
    pip = sorted_lines(reader.pip, os.path.dirname(path))
    return reader.made(pip)


def items_of(node: Node) -> Iterator[Node]:
    if text(node) is not None:
        raise InputError(f"`{node.start_mark.name}`: `dependencies` must be a list")
    yield from items(node)


def _without_templates(told: str) -> str:
    """conda-devenv's and others' `{{ … }}` are no YAML."""
    return re.sub(r"\{\{[^{}\n]*\}\}", "TEMPLATE", told)


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.unread = Unread()
        self.wanted: list[Wanted] = []
        self.python: list[Bound] = []
        self.chosen: list[Chosen] = []
        self.pip: list[tuple[str, str]] = []
        self.files = [path]
        self.is_of_pytorch = False

    def take(self, node: Node) -> None:
        place = f"{self.path}:{line(node)}"
        if (told := text(node)) is None:
            for name, (_, value) in entries(node).items():
                if name == "pip":
                    for one in items(value):
                        self._take_pip(text(one) or "", f"{self.path}:{line(one)}")
            return
        self.take_channel(told.partition("::")[0] if "::" in told else "", place)
        spec = spec_of(told)
        if spec is None:
            self.unread.add(place, f"`{told}` is no specification of conda")
        elif spec.name == "python":
            self.python += [Bound(spec.specifier, place)] if spec.specifier else []
        else:
            self.chosen += chosen_by(spec, place)
            if spec.specifier is None:
                self.unread.add(place, f"`{told}`: its version is open, as it cannot be said in one range")
            if asked := spec.requirement:
                self.wanted += requirement(asked, place, self.unread)

    def take_channel(self, name: str, place: str) -> None:
        """PyTorch's own ends with 2.5. Source: github.com/pytorch/pytorch/issues/138506."""
        if name == "pytorch" and not self.is_of_pytorch:
            self.is_of_pytorch = True
            self.unread.add(place, "the channel `pytorch` is not asked: what it had is taken from conda-forge")

    def _take_pip(self, told: str, place: str) -> None:
        option = re.match(r"(?:-r|--requirement)[\s=]*", told)
        if option and (named := told[option.end() :].strip()):
            beside = os.path.normpath(os.path.join(os.path.dirname(self.path), named))
            if not os.path.isfile(beside):
                self.unread.add(place, f"`{named}` is not in this folder")
                return
            read = read_requirement_file(beside)
            self.wanted += read.wanted
            self.pip += zip(read.other, read.places, strict=True)
            self.files += read.files
        elif told.startswith("-") or is_address(told):
            self.pip.append((told, place))
        elif told:
            self.wanted += requirement(re.sub(r"\s#.*$", "", told), place, self.unread)

    def made(self, pip: Sorted) -> Declaration:
        return Declaration(
            self.path,
            "conda",
            wanted=(*self.wanted, *pip.wanted),
            python=tuple(self.python),
            indexes=pip.indexes,
            chosen=tuple(self.chosen),
            lines=pip.lines,
            local=pip.local,
            conda=True,
            unread=self.unread.told,
            files=tuple(self.files),
        )
