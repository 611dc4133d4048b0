"""Findings, records and a solution in, specifications and steps out."""

from cudafit.conda.solver import Record
from cudafit.doctor.wish import wish_of
from cudafit.env.conda_meta import Meta, MetaRecord
from cudafit.model.environment import CONDA, Environment
from cudafit.model.finding import ERROR, INFO, Change, Finding, Fix, Severity, Wish
from cudafit.model.fit import Pick
from cudafit.repair.engines.conda_plan import (
    conda_plan,
    freed,
    specifications,
    unchanged,
    with_damage,
)

PICK = Pick("torch", "2.13.0", "cu129", "12.9", None, "pytorch=2.13.0=cuda129*", "conda-forge", "minor", (), ())


def there(name: str, version: str = "1.0", build: str = "h0", *depends: str, requested: str = "") -> MetaRecord:
    asked = (requested,) if requested else ()
    return MetaRecord(name, version, build, "linux-64", "c", "u", "0" * 64, None, 10, depends, asked, ())


def solved(name: str, version: str = "1.0", build: str = "h0", sha256: str = "0" * 64) -> Record:
    return Record(name, version, build, 0, "linux-64", "u", f"{name}.conda", "c", sha256, None, 20, ())


META = Meta(
    (
        there("python", "3.12.7"),
        there("pytorch", "2.13.0", "cpu_0", "python >=3.12", "numpy", "cudnn"),
        there("pytorch-cpu", "2.13.0", "h0", "pytorch 2.13.0 cpu*"),
        there("numpy", "2.2.0", "h0", "python", requested="conda-forge::numpy=2.2"),
        there("cudnn", "9.1"),
        there("rich", "13.0", "h0", "python"),
        there("cudatoolkit", "11.8"),
    ),
    (),
)
CHOOSE = Wish(Change(choose=("torch",), remove=("cudatoolkit",)), {"pytorch": "torch.cpu_conda"})


def finding(name: str, change: Change | None, severity: Severity = ERROR, explained: str | None = None) -> Finding:
    fix = Fix("do it", automatic=True, conda=change) if change else None
    return Finding(name, severity, "framework", "title", (), fix, explained)


def test_changes_are_joined_and_what_is_explained_asks_nothing() -> None:
    findings = (
        finding("a", Change(choose=("torch",), reinstall=("x",))),
        finding("b", Change(choose=("torch", "jax"))),
        finding("c", Change(remove=("y",)), severity=INFO),
        finding("d", Change(remove=("z",)), explained="a"),
        finding("e", None),
    )
    wish = wish_of(findings, CONDA)
    assert wish.change == Change(choose=("torch", "jax"), reinstall=("x",))
    assert wish.answers == ("a", "b")
    assert [one.id for one in wish.by_hand] == ["e"]
    assert wish.why == {"pytorch": "a", "x": "a", "jaxlib": "b"}
    more = with_damage(wish, ["x", "w"])
    assert more.change.reinstall == ("x", "w")
    assert more.answers == ("a", "b", "conda.files_damaged")
    assert with_damage(wish, ["x"]) is wish
    assert Wish(Change()).empty


def test_what_was_asked_for_stays_and_frameworks_come_by_build_string() -> None:
    specs = specifications(CHOOSE, META, {"rich": "rich>=13", "gone": "gone=1"}, [PICK], "3.12")
    assert specs == ("python 3.12.*", "numpy=2.2", "rich>=13", "pytorch ==2.13.0 cuda129*", "cuda-version 12.9.*")
    assert freed(CHOOSE, META, [PICK]) == ("cudatoolkit", "cudnn", "pytorch", "pytorch-cpu")
    only_remove = Wish(Change(remove=("cudatoolkit",)))
    kept = specifications(only_remove, META, {}, (), "3.12")
    assert kept == ("python 3.12.*", "numpy=2.2", "pytorch-cpu", "rich")
    assert freed(only_remove, META, ()) == ("cudatoolkit",)


def test_libraries_of_another_cuda_move_along_also_where_they_were_asked_for() -> None:
    names = ("cusparselt", "libcublas", "libcudss", "libcufile", "libmagma", "libnvshmem3")
    asked = {name: f"{name}=1.0" for name in names}
    meta = Meta((there("pytorch", "2.13.0", "cuda126_0", *names), *(there(name) for name in names)), ())
    assert freed(CHOOSE, meta, [PICK]) == (*names, "pytorch")
    specs = specifications(CHOOSE, meta, asked, [PICK], "3.12")
    assert specs == ("python 3.12.*", *names, "pytorch ==2.13.0 cuda129*", "cuda-version 12.9.*")


def test_steps() -> None:
    answer = [
        solved("python", "3.12.7"),
        solved("pytorch", "2.13.0", "cuda129_0"),
        solved("numpy", "2.2.0"),
        solved("cudnn", "9.2"),
        solved("rich", "13.0"),
        solved("cuda-version", "12.9"),
    ]
    keep = unchanged(META, answer, ("rich",))
    assert keep == ("python", "numpy", "rich")
    assert "rich" not in unchanged(META, [solved("rich", "13.0", sha256="1" * 64)], ("rich",))
    environment = Environment("/e", CONDA, "3.12.7", None)
    plan = conda_plan(with_damage(CHOOSE, ["numpy"]), environment, META, answer, keep)
    assert [(step.action, step.package, step.why) for step in plan.steps] == [
        ("remove", "cudatoolkit", "nothing needs it any more"),
        ("remove", "pytorch-cpu", "asks for another build of pytorch"),
        ("install", "cuda-version", "goes with pytorch"),
        ("replace", "cudnn", "goes with pytorch"),
        ("reinstall", "numpy", "conda.files_damaged"),
        ("replace", "pytorch", "torch.cpu_conda"),
    ]
    assert plan.download == 70
