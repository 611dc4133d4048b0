"""From a wish to steps for a conda prefix. Pure: what conda-meta tells, what resolve picks and the solver finds is
given."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.conda.solver import Record
from cudafit.env.conda_meta import Meta, MetaRecord, spec_name
from cudafit.model.environment import Environment
from cudafit.model.finding import Wish
from cudafit.model.fit import Pick
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.plan import REMOVE, Plan, Step
from cudafit.model.versions import numbers
from cudafit.repair.engines.plans import Coming, not_as_planned, steps_between
from cudafit.resolve.conda import CONDA_NAMES

PIP = "pip"
# What asks for one kind of build by its name, and must not when another kind is chosen.
_KINDS = {one.name: one.conda_kinds for one in FRAMEWORKS}
# Beside a framework of another CUDA these move along.
_OF_CUDA = re.compile(
    r"cuda-.*|cudnn|cusparselt|nccl|cudatoolkit|magma.*|triton|torchvision|torchaudio|pytorch-triton"
    r"|lib(cublas|cudnn|cudss|cufft|cufile|curand|cusolver|cusparse|magma|nv)\S*"
)


def with_damage(wish: Wish, damaged: Collection[str], answer: str = "conda.files_damaged") -> Wish:
    """The wish with packages that come again because a hash of theirs is not right."""
    more = [name for name in damaged if name not in wish.change.reinstall]
    if not more:
        return wish
    change = replace(wish.change, reinstall=(*wish.change.reinstall, *more))
    why = {**wish.why, **{name: answer for name in more if name not in wish.why}}
    return Wish(change, why, tuple(dict.fromkeys((*wish.answers, answer))), wish.by_hand)


def specifications(
    wish: Wish, meta: Meta, asked: Mapping[str, str], picks: Sequence[Pick], python: str
) -> tuple[str, ...]:
    """What must be there: what people asked for, what nothing else needs, and the builds that resolve picked.

    What was asked for by build or version keeps its words, but for what is to change.
    """
    chosen = [spec for pick in picks for spec in pick.specifications]
    names = {spec.partition("=")[0] for spec in chosen}
    gone = {*wish.change.remove, *(kind for name in wish.change.choose for kind in _KINDS.get(name, ()))}
    free = {*wish.change.free, *names}
    there = {one.name for one in meta.records}
    roots = {name: spec for name, spec in asked.items() if name in there}
    roots |= {one.name: one.requested[-1] for one in meta.records if one.requested and one.name not in roots}
    for name in _leaves(meta):
        roots.setdefault(name, name)
    found = [f"python {python}.*"]
    for name in sorted(roots):
        if name in gone or name in names or name in ("python", "cuda-version"):
            continue
        moves = name in free or (chosen and _OF_CUDA.fullmatch(name))
        found.append(name if moves else _plain(roots[name], name))
    found += [_spaced(spec) for spec in chosen]
    if cuda := [pick.cuda for pick in picks if pick.cuda]:
        found.append(f"cuda-version {max(cuda, key=numbers)}.*")
    return tuple(found)


def _plain(spec: str, name: str) -> str:
    """Without the channel: which one it is, is decided for all of them."""
    words = spec.rpartition("::")[2].strip()
    return words if spec_name(words) == name else name


def _spaced(spec: str) -> str:
    name, *rest = spec.split("=")
    return f"{name} =={rest[0]} {rest[1]}" if len(rest) > 1 else spec


def _leaves(meta: Meta) -> Iterator[str]:
    """Packages that no other one needs."""
    needed = {spec_name(text) for one in meta.records for text in one.depends}
    yield from (one.name for one in meta.records if one.name not in needed)


def freed(wish: Wish, meta: Meta, picks: Sequence[Pick]) -> tuple[str, ...]:
    """Packages that are solved for anew; the solver keeps the others where it can."""
    names = {*wish.change.free, *wish.change.remove}
    if picks:
        names |= {CONDA_NAMES.get(name, name) for name in wish.change.choose}
        names |= {kind for name in wish.change.choose for kind in _KINDS.get(name, ())}
        names |= {one.name for one in meta.records if _OF_CUDA.fullmatch(one.name)}
    return tuple(sorted(names & {one.name for one in meta.records}))


def unchanged(meta: Meta, solved: Sequence[Record], free: Collection[str]) -> tuple[str, ...]:
    """The packages that stay: the same build, and where another channel is asked for, from the same address."""
    there = {one.name: one for one in meta.records}
    return tuple(
        one.name
        for one in solved
        if (have := there.get(one.name))
        and (have.version, have.build) == (one.version, one.build)
        and (one.name not in free or have.sha256 == one.sha256)
    )


def conda_plan(
    wish: Wish, environment: Environment, meta: Meta, solved: Sequence[Record], keep: Collection[str]
) -> Plan:
    there = {one.name: one for one in meta.records}
    pip = [
        Step(REMOVE, one.name, one.version, None, wish.why.get(one.name, "asked for"), index=PIP)
        for one in environment.doubled
        if one.name in wish.change.uninstall
    ]
    after = {}
    for one in solved:
        stays = one.name in keep
        after[one.name] = Coming(f"{one.version} {one.build}", stays, size=there[one.name].size if stays else one.size)
    gone = there.keys() - after.keys()
    before = {name: one.shown for name, one in there.items()}
    again = wish.change.reinstall
    steps = steps_between(
        before,
        after,
        gone=gone,
        again=again,
        why=lambda name: _why_gone(name, wish) if name in gone else _why(name, wish, there),
    )
    return Plan(environment.path, environment.python or "", (*pip, *steps), wish.answers, wish.by_hand)


def _why_gone(name: str, wish: Wish) -> str:
    if name in wish.why:
        return wish.why[name]
    chosen = next((one for one in wish.change.choose if name in _KINDS.get(one, ())), None)
    return f"asks for another build of {CONDA_NAMES.get(chosen, chosen)}" if chosen else "nothing needs it any more"


def _why(name: str, wish: Wish, there: Mapping[str, MetaRecord]) -> str:
    if name in wish.why:
        return wish.why[name]
    chosen = ", ".join(CONDA_NAMES.get(one, one) for one in wish.change.choose)
    goes = f"goes with {chosen}" if chosen else "needed"
    return goes if name not in there or _OF_CUDA.fullmatch(name) else f"must move: {goes}"


def not_as_conda_planned(plan: Plan, meta: Meta, environment: Environment) -> list[str]:
    """What is not as it should be when all steps were done."""
    left = [one for one in environment.doubled if one.name in pips(plan)]
    by_pip = [f"{one.name} by pip is still there: {one.metadata}" for one in left]
    conda = [step for step in plan.steps if step.index != PIP]
    problems = [problem.error for problem in meta.problems]
    return [*problems, *by_pip, *not_as_planned(conda, {one.name: (one.shown,) for one in meta.records})]


def pips(plan: Plan) -> set[str]:
    """What pip put over conda's packages, and is taken out."""
    return {step.package for step in plan.steps if step.index == PIP}
