"""What must agree in one process though no metadata says so."""

import pytest

from cudafit.matrix.load import packaged
from cudafit.model.matrix import Agreement, Build
from cudafit.model.requirement import wanted
from cudafit.resolve.problem import Library
from cudafit.resolve.together import Agreements, opposite

TRANSFORMERS = Agreement("transformers", ">=5.1", "torch", ">=2.4", "refuses", "turns off an older torch")
NUMPY = Agreement("torch", "<2.3", "numpy", "<2", "numpy-abi", "was compiled for NumPy 1")
WINDOWS = Agreement(
    "torch", ">=2.3,<2.4.1", "numpy", "<2", "numpy-abi", "was compiled for NumPy 1", ("windows-x86_64",)
)
AGREEMENTS = Agreements([TRANSFORMERS, NUMPY, WINDOWS], ["torch"])


@pytest.mark.parametrize(
    ("version", "platform", "says"),
    [
        ("2.2.2", "linux-x86_64", ("numpy<2",)),
        ("2.3.0", "linux-x86_64", ()),
        ("2.3.0", "windows-x86_64", ("numpy<2",)),
        ("2.4.1", "windows-x86_64", ()),
    ],
)
def test_a_build_requires_what_it_must_agree_with(version: str, platform: str, says: tuple[str, ...]) -> None:
    (build,) = AGREEMENTS.with_them((Build("torch", version, "cu121", platform, "pypi"),))
    assert build.requires == says


def test_a_build_that_says_so_itself_is_left_as_it_is() -> None:
    own = Build("torch", "2.2.2", "cu121", "linux-x86_64", "pypi", requires=("numpy<1.27",))
    assert AGREEMENTS.with_them((own,)) == (own,)


def test_a_package_of_others_limits_ours_where_all_versions_that_are_wanted_say_so() -> None:
    (limit,) = AGREEMENTS.limits([wanted("transformers==5.2.0")])
    assert (limit.text, limit.constraint) == ("torch>=2.4", True)
    assert limit.origin == "transformers 5.2.0 turns off an older torch"
    assert not list(AGREEMENTS.limits([wanted("transformers>=4.40")]))


def test_a_package_of_others_is_held_back_by_what_is_wanted_of_ours() -> None:
    assert [one.text for one in AGREEMENTS.held_back([wanted("torch==2.3.0")])] == ["transformers<5.1"]
    assert not list(AGREEMENTS.held_back([wanted("torch>=2.3")]))


@pytest.mark.parametrize(("bound", "other"), [(">=5", "<5"), ("<2", ">=2"), (">1", "<=1"), ("<=1.7.2", ">1.7.2")])
def test_opposites(bound: str, other: str) -> None:
    assert opposite(bound) == other


def test_only_one_bound_has_an_opposite() -> None:
    with pytest.raises(ValueError, match="not one bound"):
        opposite(">=1,<2")


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        (("torchaudio", "2.11.0", "cu130"), ("torch", "2.9.1", "cu128"), True),
        (("torchaudio", "2.11.0", "cu130"), ("torch", "2.15.0", "cu132"), True),  # it refuses another CUDA
        (("torchaudio", "2.11.1", "cu132"), ("torch", "2.15.0", "cu132"), False),
        (("torchao", "0.15.0", "cu12"), ("torch", "2.9.1", "cu128"), False),
        (("torchao", "0.15.0", "cu12"), ("torch", "2.9.0", "cu128"), True),
        (("torchao", "0.9.0", "cu12"), ("torch", "2.9.1", "cu128"), False),  # without its C++, as SGLang pins them
        (("torchao", "0.8.0", "cu12"), ("torch", "2.9.1", "cu128"), True),
        (("sgl-kernel", "0.1.2", "cu"), ("torch", "2.7.0", "cu126"), True),
        (("onnxruntime-gpu", "1.19.2", "cu12"), ("torch", "2.3.1", "cu121"), True),  # cuDNN 9 beside 8
        (("onnxruntime-gpu", "1.19.2", "cu12"), ("torch", "2.4.1", "cu121"), False),
    ],
)
def test_builds_of_the_matrix(one: tuple[str, str, str], other: tuple[str, str, str], clashes: bool) -> None:
    library = Library(packaged())

    def build(name: str, version: str, variant: str) -> Build:
        return next(
            row
            for row in library.builds(name)
            if (row.version, row.platform, row.index) == (version, "linux-x86_64", "pypi")
            and row.variant.startswith(variant)
        )

    assert bool(library.sharing.clash(build(*one), build(*other))) is clashes


def test_a_package_of_others_is_kept_back_by_the_build_that_was_picked() -> None:
    (kept,) = AGREEMENTS.kept_back(Build("torch", "2.3.0", "cu121", "linux-x86_64", "pypi"))
    assert kept == (TRANSFORMERS, "transformers<5.1")
    assert not list(AGREEMENTS.kept_back(Build("torch", "2.4.0", "cu121", "linux-x86_64", "pypi")))
