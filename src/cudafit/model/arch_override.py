"""CONDA_OVERRIDE_CUDA_ARCH, the user's word on what the GPUs are. Source: CEP 46."""

import re

ARCH = "CONDA_OVERRIDE_CUDA_ARCH"
NO_ARCH = f"{ARCH} is no compute capability such as 8.6, and is passed over"


def is_arch(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,2}\.[0-9]", text) is not None
