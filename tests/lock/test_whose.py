"""Wheels of one name on several indexes: the address or the hash tells which of them a lock means."""

import pytest

from cudafit.lock.integrity import Integrity, Named
from cudafit.lock.whose import of_another_index
from cudafit.model.fit import Pick
from cudafit.model.matrix import QuotedWheels

FILE = "torchvision-0.24.1-cp312-cp312-manylinux_2_28_aarch64.whl"
CU130, CU126, OTHER = "aa" * 32, "bb" * 32, "cc" * 32
WHEELS = [
    QuotedWheels("torchvision", "0.24.1", "linux-aarch64", f"pytorch-{index}", (f"{FILE}={sha256}",), ("doc",))
    for index, sha256 in (("cu130", CU130), ("cu126", CU126))
]
PICK = Pick(
    "torchvision", "0.24.1", "cu130", "13.0", None, "torchvision==0.24.1", "https://x/whl/cu130", "native", (), (),
    index_name="pytorch-cu130",
)  # fmt: skip
SAID = "`torchvision` is the wheel of pytorch-cu126, and what fits is pytorch-cu130's"


@pytest.mark.parametrize(
    ("hashes", "url", "said"),
    [
        ((f"sha256:{CU130}",), None, []),
        ((f"sha256:{CU126}",), None, [SAID]),
        ((f"sha256:{CU126}", f"sha256:{CU130}"), None, []),
        ((f"sha256:{OTHER}",), None, []),
        ((f"sha256:{OTHER}",), f"https://files.example.org/whl/cu126/{FILE}", [SAID]),
        ((f"sha256:{OTHER}",), f"https://files.example.org/whl/cu130/{FILE}", []),
        ((f"sha256:{CU126}",), f"https://mirror.example.org/files/{FILE}", [SAID]),
    ],
)
def test_address_and_hash_decide(hashes: tuple[str, ...], url: str | None, said: list[str]) -> None:
    lock = Integrity((Named("torchvision", "0.24.1", hashes, url, FILE),))
    assert list(of_another_index(lock, [PICK], WHEELS, ["pytorch-cu126", "pytorch-cu130", "pypi"])) == said
