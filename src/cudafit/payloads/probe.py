"""Imports each framework, asks what it sees, and runs one operation on each GPU. One line of JSON for each.

It runs in the target environment, with its interpreter, of any version from 3.8 on; nothing of cudafit is imported.
Whatever a framework or sitecustomize prints does not disturb: only lines with the mark count.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

MARK = "cudafit-probe "


def torch(module: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"devices": module.cuda.device_count(), "available": bool(module.cuda.is_available())}
    found["cuda"] = module.version.cuda
    if found["cuda"] and not found["available"]:
        _say_why_not(module)
    for index in range(found["devices"] if found["available"] else 0):
        ones = module.ones(64, 64, device=f"cuda:{index}")
        value = (ones @ ones).sum().item()
        # cuDNN is loaded by the first convolution.
        module.nn.functional.conv2d(ones.view(1, 1, 64, 64), ones[:3, :3].reshape(1, 1, 3, 3))
        found.setdefault("worked", []).append([index, value == 64.0**3])
    if found["available"]:
        found["cudnn"] = module.backends.cudnn.version()
    return found


def _say_why_not(module: Any) -> None:
    """is_available() keeps the reason to itself; init() tells it. That there is no GPU is told by the count."""
    try:
        module.cuda.init()
    except RuntimeError as error:
        if "No CUDA GPUs" not in str(error) and "no NVIDIA driver" not in str(error):
            raise


def tensorflow(module: Any) -> dict[str, Any]:
    devices = module.config.list_physical_devices("GPU")
    found: dict[str, Any] = {
        "devices": len(devices),
        "available": bool(devices),
        "built": bool(module.test.is_built_with_cuda()),
    }
    for index in range(len(devices)):
        with module.device(f"/GPU:{index}"):
            value = float(module.reduce_sum(module.matmul(module.ones((64, 64)), module.ones((64, 64)))))
            module.nn.conv2d(module.ones((1, 8, 8, 1)), module.ones((3, 3, 1, 1)), 1, "SAME")  # loads cuDNN
        found.setdefault("worked", []).append([index, value == 64.0**3])
    return found


def jax(module: Any) -> dict[str, Any]:
    devices = [device for device in module.devices() if device.platform in ("gpu", "cuda")]
    found: dict[str, Any] = {"devices": len(devices), "available": bool(devices), "backend": module.default_backend()}
    for index, device in enumerate(devices):
        value = module.device_put(module.numpy.ones((64, 64)), device)
        found.setdefault("worked", []).append([index, float((value @ value).sum()) == 64.0**3])
    return found


FRAMEWORKS = {"torch": torch, "tensorflow": tensorflow, "jax": jax}


def main(names: list[str]) -> None:
    for name in names:
        told: dict[str, Any] = {"framework": name}
        try:
            module = importlib.import_module(name)
            told["version"] = str(getattr(module, "__version__", ""))
            told["step"] = "operation"
            told.update(FRAMEWORKS[name](module))
        except BaseException as error:
            told["error"] = f"{type(error).__name__}: {error}"
        sys.stdout.write("\n" + MARK + json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
