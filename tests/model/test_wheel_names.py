from pathlib import Path

import pytest
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

import cudafit
from cudafit.model.wheel_names import wheel_parts


@pytest.mark.parametrize(
    "name",
    [
        "torch-2.6.0+cu126-cp312-cp312-manylinux_2_28_x86_64.whl",
        "numpy-2.0-1-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64.whl",
        "six-1.16-py2.py3-none-any.whl",
    ],
)
def test_as_packaging_reads_them(name: str) -> None:
    assert wheel_parts(name) == parse_wheel_filename(name)


@pytest.mark.parametrize(
    "name",
    [
        f"a-1-{'.'.join(['b'] * 20)}-{'.'.join(['c'] * 20)}-{'.'.join(['d'] * 20)}.whl",
        f"a-1-{'.'.join(['b'] * 20_000)}-{'.'.join(['c'] * 20_000)}-any.whl",
        f"a-1-1{'.'.join(['b'] * 100)}-{'.'.join(['c'] * 20)}-any.whl",
        f"{'a' * 300}-1-py3-none-any.whl",
        "a-1.whl",
        "a",
        "",
    ],
)
def test_what_would_stand_for_thousands_is_none(name: str) -> None:
    with pytest.raises(InvalidWheelFilename):
        wheel_parts(name)


def test_nothing_else_takes_them_apart() -> None:
    sources = Path(cudafit.__file__).parent
    users = [path for path in sources.rglob("*.py") if "parse_wheel_filename" in path.read_text()]
    assert users == [sources / "model/wheel_names.py"]
