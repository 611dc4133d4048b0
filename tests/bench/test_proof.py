"""That a process used the GPU, by what is seen from outside of it."""

import pytest

from cudafit.bench.proof import FILES_AND_MEMORY, NVML, Sighting, prove

BEFORE = Sighting((77,), 1000, None)


@pytest.mark.parametrize(
    ("during", "ids_are_ours", "used", "how"),
    [
        # NVML lists it, wherever it runs.
        ([Sighting((77, 4321), 1600)], True, True, NVML),
        ([Sighting((77,), 1000), Sighting((77, 4321), 1600)], True, True, NVML),
        ([Sighting((4321,), 1600)], False, True, NVML),
        # NVML lists others, and its ids are ours: it computed elsewhere, whatever the memory did.
        ([Sighting((77,), 1600, ("/dev/nvidia0",))], True, False, NVML),
        ([Sighting((), 1000)], True, False, NVML),
        # In a container: what it has opened, and the memory.
        ([Sighting((9001,), 1600, ("/dev/nvidia0",))], False, True, FILES_AND_MEMORY),
        ([Sighting((9001,), 1010, ("/dev/nvidia0",))], False, False, FILES_AND_MEMORY),
        ([Sighting((9001,), 1600, ())], False, False, FILES_AND_MEMORY),
        ([Sighting((9001,), 1600, None)], False, None, None),
        ([Sighting((9001,), None, ("/dev/nvidia0",))], False, None, None),
        # NVML that lists nothing at all, as on WSL.
        ([Sighting(None, 1600, ("/dev/dxg",))], True, True, FILES_AND_MEMORY),
        ([], True, None, None),
    ],
)
def test_proof(during: list[Sighting], ids_are_ours: bool, used: bool | None, how: str | None) -> None:
    proof = prove(4321, BEFORE, during, 256, ids_are_ours=ids_are_ours, where="GPU 0")
    assert (proof.used_gpu, proof.proof) == (used, how)
    assert proof.evidence
