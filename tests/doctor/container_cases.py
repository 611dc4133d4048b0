"""Container files with a finding, each beside one that looks alike and must not have it."""

from collections.abc import Mapping
from dataclasses import field

from cudafit.machine.described import Description, described
from cudafit.model.frozen import frozen
from cudafit.model.machine import Machine
from tests.doctor.worlds import FACTS, machine

GOOD = machine("rtx4090-550")
PASCAL = machine("gtx1080ti-535")
BLACKWELL = machine("rtx5090-570")
HOPPER = machine("h100x8-580")
GRACE = described(Description("580.65.06", ("GH200",), "linux-aarch64", "2.35"), None, "", FACTS.book.facts)

CUDA = "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n"
SLIM = "FROM python:3.12-slim\n"
TORCH = "RUN pip install torch==2.9.1 --index-url https://download.pytorch.org/whl/cu126\n"
JAX_STAGE = "FROM python:3.12-slim AS build\nRUN pip install --prefix /install 'jax[cpu]'\n"
RESERVED = """
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
              capabilities: [gpu]
"""


@frozen
class FileCase:
    """`bad` and `good` are a Dockerfile, or a compose file where they begin with `services:`."""

    id: str
    bad: str
    good: str
    machine: Machine = GOOD
    more: Mapping[str, str] = field(default_factory=dict)  # other files of the folder
    not_machine: Machine | None = None


def service(lines: str, more: str = "") -> str:
    """A compose file with one service `train`."""
    return f"services:\n  train:\n    {lines.strip()}\n{more}"


IMAGE = "image: nvidia/cuda:12.4.1-runtime-ubuntu22.04"
FILE_CASES = (
    FileCase("provision.wrong_package", CUDA + "RUN pip install apex\n", CUDA + "RUN pip install apex-x\n"),
    FileCase(
        "provision.cu13_stub_name",
        CUDA + "RUN pip install nvidia-cublas-cu13\n",
        CUDA + "RUN pip install nvidia-cublas\n",
    ),
    FileCase(
        "tf.gpu_stub_package",
        CUDA + "RUN uv pip install tensorflow-gpu\n",
        CUDA + "RUN uv pip install 'tensorflow-gpu<2.11'\n",
    ),
    FileCase("image.base_too_new", "FROM nvidia/cuda:13.0.1-base-ubuntu24.04\n", CUDA),
    FileCase("image.base_too_new", "ARG CUDA=13.0.1\nFROM nvidia/cuda:${CUDA}-base-ubuntu24.04\n", CUDA),
    FileCase(  # a 12.x of the same major runs on every driver from 525 on
        "image.base_too_new", "FROM nvidia/cuda:13.0.1-base-ubuntu24.04\n", "FROM nvidia/cuda:12.9.1-base-ubuntu24.04\n"
    ),
    FileCase(  # the data-centre card has cuda-compat; the consumer card has not
        "image.base_too_new",
        "FROM nvidia/cuda:13.0.1-base-ubuntu24.04\n",
        "FROM nvidia/cuda:13.0.1-base-ubuntu24.04\n",
        GOOD,
        not_machine=HOPPER,
    ),
    FileCase(
        "image.no_kernels",
        "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime\n",
        "FROM pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime\n",
        BLACKWELL,
    ),
    FileCase(
        "image.no_kernels",
        f"{SLIM}RUN pip install torch==2.6.0 --index-url https://download.pytorch.org/whl/cu124\n",
        f"{SLIM}RUN pip install torch==2.7.0 --index-url https://download.pytorch.org/whl/cu128\n",
        BLACKWELL,
    ),
    FileCase(
        "image.wheel_too_new",
        f"{SLIM}RUN pip install torch==2.9.1 --index-url https://download.pytorch.org/whl/cu130\n",
        f"{SLIM}{TORCH}",
    ),
    FileCase(
        "image.wheel_too_new",
        f"{SLIM}ENV UV_TORCH_BACKEND=cu130\nRUN uv pip install torch==2.9.1\n",
        f"{SLIM}ENV UV_TORCH_BACKEND=cu130\nRUN uv pip install --torch-backend cu126 torch==2.9.1\n",
    ),
    FileCase(
        "image.arm_cpu_wheel",
        f"{SLIM}ENV NVIDIA_VISIBLE_DEVICES=all\nRUN pip install torch==2.9.1\n",
        f"{SLIM}ENV NVIDIA_VISIBLE_DEVICES=all\nRUN pip install torch==2.9.1"
        " --index-url https://download.pytorch.org/whl/cu130\n",
        GRACE,
    ),
    FileCase(
        "image.cpu_build",
        f"{CUDA}RUN pip install torch --index-url https://download.pytorch.org/whl/cpu\n",
        f"{SLIM}RUN pip install torch --index-url https://download.pytorch.org/whl/cpu\n",  # nothing wants a GPU
    ),
    FileCase(  # the last line decides
        "image.cpu_build",
        f"{CUDA}{TORCH}RUN pip install torch==2.9.1+cpu -f https://download.pytorch.org/whl/torch\n",
        f"{CUDA}RUN pip install torch==2.9.1+cpu -f https://download.pytorch.org/whl/torch\n{TORCH}",
    ),
    FileCase(
        "image.cpu_build",
        f"{CUDA}RUN uv pip install --torch-backend auto torch\n",
        f"{CUDA}RUN uv pip install --torch-backend cu126 torch\n",
    ),
    FileCase(
        "image.cpu_build",
        f"{CUDA}RUN conda install -y -c conda-forge pytorch\n",
        f"{CUDA}RUN CONDA_OVERRIDE_CUDA=12.4 conda install -y -c conda-forge pytorch\n",
    ),
    FileCase(  # a stage whose packages do not come along
        "image.cpu_build",
        f"{CUDA}RUN pip install tensorflow-cpu\n",
        f"{SLIM.strip()} AS test\nRUN pip install tensorflow-cpu\n{CUDA}",
    ),
    FileCase(
        "image.cpu_build",
        f"{JAX_STAGE}{CUDA}COPY --from=build /install /usr\n",
        f"{JAX_STAGE}{CUDA}COPY --from=build /etc/x /etc/x\n",
    ),
    FileCase(
        "image.musl_base", f"FROM python:3.12-alpine\n{TORCH}", "FROM python:3.12-alpine\nRUN pip install flask\n"
    ),
    FileCase("image.gpu_hidden", f"{CUDA}ENV CUDA_VISIBLE_DEVICES=-1\n", f"{CUDA}ENV CUDA_VISIBLE_DEVICES=0\n"),
    FileCase("image.gpu_hidden", f"{CUDA}ENV NVIDIA_VISIBLE_DEVICES=void\n", f"{CUDA}ENV NVIDIA_VISIBLE_DEVICES=all\n"),
    FileCase(
        "image.caps_missing",
        f"{CUDA}ENV NVIDIA_DRIVER_CAPABILITIES=graphics,video\n",
        f"{CUDA}ENV NVIDIA_DRIVER_CAPABILITIES=graphics,compute\n",
    ),
    FileCase(
        "image.driver_installed",
        f"{CUDA}RUN apt-get update && apt-get install -y --no-install-recommends nvidia-driver-550 git\n",
        f"{CUDA}RUN apt-get update && apt-get install -y --no-install-recommends nvidia-container-toolkit git\n",
    ),
    FileCase(
        "image.driver_installed",
        f"{CUDA}RUN apt-get install -y cuda-12-4\n",
        f"{CUDA}RUN apt-get install -y cuda-toolkit-12-4\n",
    ),
    FileCase(
        "image.driver_installed",
        f"{CUDA}RUN sh /tmp/NVIDIA-Linux-x86_64-550.54.14.run --silent\n",
        f"{CUDA}RUN rm /tmp/NVIDIA-Linux-x86_64-550.54.14.run\n",
    ),
    FileCase(
        "image.stub_on_path",
        f"{CUDA}ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64/stubs:$LD_LIBRARY_PATH\n",
        f"{CUDA}ENV LIBRARY_PATH=/usr/local/cuda/lib64/stubs\n",
    ),
    FileCase(
        "image.compat_on_path",
        f"{CUDA}ENV LD_LIBRARY_PATH=/usr/local/cuda/compat\n",
        f"{CUDA}ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64\n",
    ),
    FileCase(
        "image.compat_on_path",
        f"{CUDA}ENV LD_LIBRARY_PATH=/usr/local/cuda/compat\n",
        f"{CUDA}ENV LD_LIBRARY_PATH=/usr/local/cuda/compat\n",
        GOOD,
        not_machine=HOPPER,
    ),
    FileCase("compose.no_gpu", service(IMAGE), service(IMAGE, RESERVED)),
    FileCase("compose.no_gpu", service(IMAGE), service(f"{IMAGE}\n    gpus: all")),
    FileCase("compose.no_gpu", service(IMAGE), service(f"{IMAGE}\n    devices: [nvidia.com/gpu=all]")),
    FileCase(
        "compose.no_gpu", service("build: ."), service("build: .", RESERVED), GOOD, {"Dockerfile": f"{CUDA}{TORCH}"}
    ),
    FileCase(
        "compose.image_too_new",
        service("image: nvidia/cuda:13.0.1-base-ubuntu24.04", RESERVED),
        service(IMAGE, RESERVED),
    ),
    FileCase(
        "compose.no_kernels",
        service("image: pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime", RESERVED),
        service("image: pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime", RESERVED),
        BLACKWELL,
    ),
    FileCase(
        "compose.capabilities_missing",
        service(IMAGE, RESERVED.replace("              capabilities: [gpu]\n", "")),
        service(IMAGE, RESERVED),
    ),
    FileCase(
        "compose.capabilities_missing",
        service(IMAGE, RESERVED.replace("[gpu]", "[gpu, utility]")),
        service(IMAGE, RESERVED.replace("[gpu]", "[gpu, utility, compute]")),
    ),
    FileCase("compose.count_zero", service(IMAGE, RESERVED.replace("1", "0")), service(IMAGE, RESERVED)),
    FileCase(
        "compose.count_and_ids",
        service(IMAGE, RESERVED.replace("count: 1", 'count: 1\n              device_ids: ["0"]')),
        service(IMAGE, RESERVED.replace("count: 1", 'device_ids: ["0"]')),
    ),
    FileCase(
        "compose.device_unknown",
        service(IMAGE, RESERVED.replace("count: 1", 'device_ids: ["7"]')),
        service(IMAGE, RESERVED.replace("count: 1", 'device_ids: ["7"]')),
        GOOD,
        not_machine=HOPPER,
    ),
    FileCase(
        "compose.gpu_hidden",
        service(f"{IMAGE}\n    environment:\n      CUDA_VISIBLE_DEVICES: ''", RESERVED),
        service(f"{IMAGE}\n    environment:\n      CUDA_VISIBLE_DEVICES: '0'", RESERVED),
    ),
    FileCase(  # the reservation chose card 3, which is number 0 inside
        "compose.gpu_hidden",
        service(
            f'{IMAGE}\n    environment: ["CUDA_VISIBLE_DEVICES=3"]',
            RESERVED.replace("count: 1", 'device_ids: ["3"]'),
        ),
        service(
            f'{IMAGE}\n    environment: ["CUDA_VISIBLE_DEVICES=0"]',
            RESERVED.replace("count: 1", 'device_ids: ["3"]'),
        ),
        HOPPER,
    ),
    FileCase(
        "compose.caps_missing",
        service(f"{IMAGE}\n    environment: [NVIDIA_DRIVER_CAPABILITIES=utility]", RESERVED),
        service(f"{IMAGE}\n    environment: ['NVIDIA_DRIVER_CAPABILITIES=utility,compute']", RESERVED),
    ),
    FileCase("compose.runtime_nvidia", service(f"{IMAGE}\n    runtime: nvidia"), service(IMAGE, RESERVED)),
    FileCase(
        "compose.shared_memory",
        service("image: pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime", RESERVED),
        service("image: pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime\n    ipc: host", RESERVED),
    ),
)
