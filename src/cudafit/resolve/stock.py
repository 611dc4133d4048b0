"""The builds of one package, judged once for each kind of machine, however many questions are asked of them.

A room of machines is asked about in many parts: each kind alone, each two together, each with a newer driver. What a
build is on several kinds follows from what it is on each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.model.fit import CPU
from cudafit.model.matrix import Build
from cudafit.model.requirement import Wanted
from cudafit.resolve.candidates import Candidate, Field, Lost
from cudafit.resolve.host import GPU, NO_DRIVER, Kind
from cudafit.resolve.order import Order
from cudafit.resolve.pins import is_gpu
from cudafit.resolve.pythons import has_wheel
from cudafit.resolve.request import Request
from cudafit.resolve.rules import EITHER, ON_CPU, ON_GPU, Obstacle, Service, Setting, combined, judge
from cudafit.resolve.words import against_words, takes_cpu

WITHOUT_CUDA = "the CUDA wheel, without its CUDA libraries"


class Stock:
    """The builds of one package, as one request and one Python see them.

    `others` are the user's own words about packages that are not ours. A kind is known as an object: whoever asks keeps
    one for all that are equal.
    """

    def __init__(
        self,
        name: str,
        builds: Sequence[Build],
        wants: Sequence[Wanted],
        request: Request,
        setting: Setting,
        others: Mapping[str, Sequence[Wanted]],
    ) -> None:
        self._name = name
        self._builds = builds
        self._wants = wants
        self._request = request
        self._setting = setting
        self._others = others
        self._cpu = request.cpu or takes_cpu(name, wants, request)
        self._has_gpu = any(is_gpu(build) for build in builds)
        # Where CUDA comes by an extra, as jax's does, the wheel without it is for the CPU.
        self._by_extra = any(build.extra for build in builds)
        self._on_gpu = {(build.version, build.platform) for build in builds if is_gpu(build)}
        self._has_cpu = any(build.variant == CPU for build in builds)
        self._order = Order(name, builds, request)
        self._refused: dict[int, Obstacle | None] = {}
        self._small: dict[int, Build] = {}
        self._places = {id(build): place for place, build in enumerate(builds)}
        self._serving: dict[tuple[int, bool], dict[int, Service]] = {}
        self._kinds: list[Kind] = []  # whose ids are in use above

    def field(self, kinds: Sequence[Kind]) -> Field:
        """The builds that serve every kind."""
        small = self._all_on_cpu(kinds)
        tables = [self._served(kind, small) for kind in kinds]
        places = set(tables[0]).intersection(*tables[1:])
        candidates = []
        for place in places:
            services = tuple(table[place] for table in tables)
            build = self._build(place, small)
            level, tie = self._order.of(build, combined(services), place)
            candidates.append(Candidate(build, services, level, tie))
        candidates.sort(key=lambda candidate: (candidate.level, candidate.tie))
        return Field(self._name, tuple(candidates), lambda: tuple(self._lost(kinds)))

    def serves(self, build: Build, kinds: Sequence[Kind]) -> bool:
        """Whether this build is a candidate for these kinds."""
        small = self._all_on_cpu(kinds)
        place = self._places.get(id(build))
        if place is None or self._build(place, small) is not build:
            return False
        return all(place in self._served(kind, small) for kind in kinds)

    def _served(self, kind: Kind, small: bool) -> dict[int, Service]:
        """The builds that serve this kind, by their places."""
        key = (id(kind), small)
        if key not in self._serving:
            self._kinds.append(kind)
            self._serving[key] = dict(self._serve(kind, small))
        return self._serving[key]

    def _serve(self, kind: Kind, small: bool) -> Iterator[tuple[int, Service]]:
        python = self._setting.python
        for place, build in enumerate(self._builds):
            if build.platform not in (kind.platform, "any") or not has_wheel(
                build.pythons, build.requires_python, python
            ):
                continue
            if self._refusal(place) is None:
                answer = judge(self._build(place, small), kind, self._setting, self._purpose_of(build, kind))
                if isinstance(answer, Service):
                    yield place, answer

    def _lost(self, kinds: Sequence[Kind]) -> Iterator[Lost]:
        """Every build that is no candidate, with each reason once."""
        small = self._all_on_cpu(kinds)
        platforms = {kind.platform for kind in kinds}
        for place, build in enumerate(self._builds):
            if build.platform not in platforms and build.platform != "any":
                yield Lost(build, Obstacle("platform", build.platform, kinds[0].platform), 0)
            elif refusal := self._refusal(place):
                yield Lost(build, refusal)
            else:
                # By rule, and by card where kernels lack: one machine that a build does not fit is enough to lose.
                obstacles: dict[tuple[str, str], Lost] = {}
                for number, kind in enumerate(kinds):
                    answer = judge(self._build(place, small), kind, self._setting, self._purpose_of(build, kind))
                    for obstacle in () if isinstance(answer, Service) else answer:
                        card = obstacle.have if obstacle.rule == "kernels" else ""
                        obstacles.setdefault((obstacle.rule, card), Lost(build, obstacle, number))
                yield from obstacles.values()

    def _refusal(self, place: int) -> Obstacle | None:
        """What the user's own words have against a build."""
        if place not in self._refused:
            build, agreements = self._builds[place], self._setting.agreements
            told = against_words(build, self._wants, self._request, self._others, agreements, has_gpu=self._has_gpu)
            self._refused[place] = next(told, None)
        return self._refused[place]

    def _purpose(self, kind: Kind) -> str:
        if not self._has_gpu:
            return EITHER
        return ON_GPU if kind.state in (GPU, NO_DRIVER) and not self._cpu else ON_CPU

    def _purpose_of(self, build: Build, kind: Kind) -> str:
        """A wheel of pure Python works wherever what it requires does, unless there is one for CUDA beside it; a build
        for the CPU works beside a GPU where it can do without kernels."""
        if build.variant == CPU and build.name in self._setting.spares:
            return EITHER
        if build.variant == "any" and not self._by_extra and (build.version, kind.platform) not in self._on_gpu:
            return EITHER
        return self._purpose(kind)

    def _all_on_cpu(self, kinds: Sequence[Kind]) -> bool:
        """Then a wheel will do that is installed without its CUDA libraries; it serves no GPU."""
        return self._has_cpu and all(self._purpose(kind) == ON_CPU for kind in kinds)

    def _build(self, place: int, small: bool) -> Build:
        build = self._builds[place]
        if not (small and build.extra and build.kernels):
            return build
        if place not in self._small:
            self._small[place] = _without_cuda(build)
            self._places[id(self._small[place])] = place
        return self._small[place]


def _without_cuda(build: Build) -> Build:
    """The same wheel installed without the extra that brings its CUDA libraries: it then works on the CPU."""
    kept = tuple(text for text in build.requires if not text.startswith("nvidia-"))
    return replace(build, extra=None, variant=CPU, cuda=None, requires=kept, note=WITHOUT_CUDA)
