"""ONNX Runtime: one build of it."""

from collections.abc import Iterator

from cudafit.doctor.fixes import uninstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding


def both_builds(world: World) -> Iterator[Finding]:
    environment = world.environment
    cpu = environment.distribution("onnxruntime") if environment else None
    gpu = environment.distribution("onnxruntime-gpu") if environment else None
    if cpu and gpu:
        yield kinds.ort.cpu_and_gpu_both.found(
            "onnxruntime and onnxruntime-gpu fill the same folder",
            (
                Evidence(f"onnxruntime {cpu.version}", cpu.metadata),
                Evidence(f"onnxruntime-gpu {gpu.version}", gpu.metadata),
            ),
            uninstall(
                world,
                ["onnxruntime", "onnxruntime-gpu"],
                "remove both, then install onnxruntime-gpu alone",
                install=[f"onnxruntime-gpu=={gpu.version}"],
            ),
        )
