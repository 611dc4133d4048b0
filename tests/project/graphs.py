"""What the package index answered for real projects, kept small: the packages of ours that came in, those that need
them, and their words for it. `python -m tests.project.graphs [ID...]` asks anew, and writes graphs.json.

Source: uv's answers (`uv pip compile`, wheels alone) over the default index, and the METADATA of the packages named, on
the day that the file tells.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cudafit.app import closing
from cudafit.app.asked import WhichBuilds, WhichFacts, WhichMachine
from cudafit.app.builds import request_of
from cudafit.app.machines import hosts
from cudafit.errors import CudafitError, InputError
from cudafit.lock.graph import Graph, Node, Sought, graph
from cudafit.lock.uv import UvError
from cudafit.matrix.harvest.released import Needs, Released
from cudafit.matrix.load import open_matrix
from cudafit.model.frameworks import OF_THE_CPU
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.problem import Library
from tests.project.real_projects import load, write

FILE = Path(__file__).with_name("graphs.json")
PROJECTS = load(Path(__file__).with_name("projects.yaml"))
BOOK = open_matrix((), None)
_LIBRARY = Library(BOOK)
_TOLD = 1500
Told = dict[str, Any]


def which(gpu: str, driver: str) -> WhichMachine:
    return WhichMachine(driver=driver, gpus=(gpu,), platform="linux-x86_64", glibc="2.36")


def found_for(path: Path, machine: WhichMachine) -> tuple[set[str], str]:
    """The packages that the answer holds or names, and what was said against it."""
    request, _ = request_of(WhichBuilds(files=(str(path),)), machine, WhichFacts())
    names = {one.name for one in request.wanted}
    if request.conda:
        return names, ""
    try:
        closed = closing.closed(request, hosts(machine, None, BOOK.facts), BOOK)
    except UvError as error:
        return names | {one.name for one in error.learnt}, error.what
    except CudafitError as error:
        return names, error.what
    answer = resolve(closed.request, hosts(machine, None, BOOK.facts), BOOK)
    names |= {one.name for one in closed.request.wanted} | {pick.name for pick in answer.picks}
    return names | {note.split()[0] for note in closed.notes if " comes through " in note}, ""


def _key(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:12]


def _of_sought(sought: Sought) -> str:
    wants = sorted((one.text, one.constraint) for one in sought.wanted)
    return _key(wants, sought.python, sought.target.platform, sorted(sought.excluded))


def _shortened(told: str) -> str:
    """Of uv's words the first, and what they come to."""
    return told if len(told) <= _TOLD else f"{told[:_TOLD]} ... {told[-_TOLD // 5 :]}"


def _ours(text: str) -> bool:
    try:
        return _LIBRARY.knows(wanted(text).name)
    except InputError:
        return False


def _small(answer: Graph) -> Told:
    kept = {one.name for one in answer.nodes if _LIBRARY.knows(one.name) or one.name in OF_THE_CPU}
    kept |= {by for one in answer.nodes if one.name in kept for by in one.by}
    nodes = [[one.name, one.version, list(one.by)] for one in answer.nodes if one.name in kept]
    rest = {"unread": answer.unread, "missing": answer.missing, "foreign": answer.foreign}
    return {"nodes": nodes, **{name: list(names) for name, names in rest.items() if names}}


@contextmanager
def _standing_in(asked: Callable[[Sought], Graph], methods: dict[str, Callable[..., Any]]) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(patch.object(closing, "graph", asked))
        for name, method in methods.items():
            stack.enter_context(patch.object(Released, name, method))
        yield


@contextmanager
def recorded(told: Told) -> Iterator[None]:
    """The index is asked, and what it says is kept."""
    real = {name: getattr(Released, name) for name in ("of", "of_source", "has_newer", "pythons_of")}

    def asked(sought: Sought) -> Graph:
        try:
            answer = graph(sought)
        except UvError as error:
            told.setdefault("graphs", {})[_of_sought(sought)] = {"error": _shortened(error.told)}
            raise
        told.setdefault("graphs", {})[_of_sought(sought)] = _small(answer)
        return answer

    def kept(name: str) -> Callable[..., Any]:
        def ask(self: Released, *words: str) -> Any:
            answer = real[name](self, *words)
            plain: Any = answer
            if isinstance(answer, Needs):
                plain = [answer.version, [one for one in answer.requires if _ours(one)]]
            told.setdefault(name, {})[" ".join(words)] = plain
            return answer

        return ask

    with _standing_in(asked, {name: kept(name) for name in real}):
        yield


@contextmanager
def replayed(told: Told) -> Iterator[None]:
    """What was kept answers. A question of another machine that was not asked then gets the project's own graph."""
    graphs: dict[str, Told] = told.get("graphs", {})
    usual: Told = next(
        (one for one in graphs.values() if "error" not in one), next(iter(graphs.values()), {"nodes": []})
    )

    def asked(sought: Sought) -> Graph:
        answer = graphs.get(_of_sought(sought), usual)
        if "error" in answer:
            raise UvError("the packages do not go together", told=answer["error"])
        nodes = tuple(Node(name, version, tuple(by)) for name, version, by in answer["nodes"])
        rest = [set(answer.get(name, ())) - set(sought.excluded) for name in ("unread", "missing", "foreign")]
        return Graph(nodes, *(tuple(sorted(names)) for names in rest))

    def kept(name: str, other: Any) -> Callable[..., Any]:
        def ask(_self: Released, *words: str) -> Any:
            answer = told.get(name, {}).get(" ".join(words), other)
            if name == "pythons_of":
                return tuple(answer)
            return Needs(answer[0], tuple(answer[1])) if answer and name != "has_newer" else answer

        return ask

    others = {"of": None, "of_source": None, "has_newer": False, "pythons_of": ()}
    with _standing_in(asked, {name: kept(name, other) for name, other in others.items()}):
        yield


def main(ids: Sequence[str]) -> None:
    """All of them, or those that are named anew."""
    whole: Told = {"read": time.strftime("%Y-%m-%d"), "projects": {}}
    if ids:
        whole |= {"projects": json.loads(FILE.read_text(encoding="utf-8"))["projects"]}
    for row in PROJECTS:
        if ids and row["id"] not in ids:
            continue
        told: Told = {}
        with tempfile.TemporaryDirectory() as folder, recorded(told):
            try:
                found_for(write(row, Path(folder)), which("RTX 3060", "535.54.03"))
            except CudafitError as error:
                sys.stderr.write(f"{row['id']}: {error.what}\n")
        if told:
            whole["projects"][row["id"]] = told
        FILE.write_text(json.dumps(whole, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
