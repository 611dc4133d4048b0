"""What changed between two matrices."""

from pathlib import Path

import pytest

from cudafit.matrix.difference import differences
from tests.matrix.folders import TORCH, folder

NEW = "- {version: 2.7.0, variant: cu126, platform: linux-x86_64, index: pypi, cuda: 12.6, sources: doc}\n"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (TORCH, []),
        (TORCH + NEW, ["torch 2.7.0 added: cu126 (linux-x86_64, needs driver 525.60.13)"]),
        (TORCH.replace("2.6.0", "2.6.1"), ["torch 2.6.1 added: cpu (windows-x86_64)", "torch 2.6.0 removed"]),
        (
            TORCH.replace("sm_86 sm_90", "sm_90 sm_100"),
            ["torch 2.5.0 cu124 (linux-x86_64, pypi): kernels: -sm_86 +sm_100"],
        ),
        (TORCH.replace("cuda: 12.4", "cuda: 12.6"), ["torch 2.5.0 cu124 (linux-x86_64, pypi): cuda: 12.4 -> 12.6"]),
        (TORCH.replace("cuda: 12.4, ", ""), ["torch 2.5.0 cu124 (linux-x86_64, pypi): cuda: 12.4 -> not known"]),
        (TORCH.replace("2.6.0", "2.5.0"), ["torch 2.6.0 removed", "torch 2.5.0 cpu (windows-x86_64, pypi) added"]),
        (TORCH.replace("sources: doc}", "note: hm, sources: doc}"), []),
    ],
)
def test_changes_in_the_words_of_users(changed: str, told: list[str], tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old").matrix(), folder(tmp_path / "new", torch=changed).matrix()
    assert list(differences(old, new)) == told
