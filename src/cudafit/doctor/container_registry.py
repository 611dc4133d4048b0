"""The checks of container files, in the order in which they are listed."""

from cudafit.doctor.check import check
from cudafit.doctor.checks import compose_files, dockerfiles, images

CHECKS = (
    check("image-base", "the base's CUDA and the driver", images.base, "image.base_too_new image.no_kernels"),
    check(
        "image-wheels",
        "the torch that an image installs",
        images.wheels,
        "image.wheel_too_new image.no_kernels image.arm_cpu_wheel",
    ),
    check("image-cpu", "builds for the CPU in an image", dockerfiles.cpu_builds, "image.cpu_build"),
    check("image-libc", "the C library of the base", dockerfiles.musl, "image.musl_base"),
    check("image-variables", "variables of an image", dockerfiles.hidden, "image.gpu_hidden image.caps_missing"),
    check("image-driver", "a driver inside an image", dockerfiles.driver, "image.driver_installed"),
    check(
        "image-libraries",
        "LD_LIBRARY_PATH of an image",
        dockerfiles.library_path,
        "image.stub_on_path image.compat_on_path",
    ),
    check("compose-gpu", "whether a service gets its GPU", compose_files.no_gpu, "compose.no_gpu"),
    check(
        "compose-image",
        "the image's CUDA and the driver",
        images.service_image,
        "compose.image_too_new compose.no_kernels",
    ),
    check(
        "compose-devices",
        "what a service reserves",
        compose_files.requests,
        "compose.capabilities_missing compose.count_zero compose.count_and_ids",
    ),
    check("compose-ids", "GPUs of this machine", compose_files.devices, "compose.device_unknown"),
    check(
        "compose-variables",
        "variables of a service",
        compose_files.hidden,
        "compose.gpu_hidden compose.caps_missing",
    ),
    check("compose-runtime", "the runtime of a service", compose_files.runtime, "compose.runtime_nvidia"),
    check("compose-memory", "shared memory of a service", compose_files.memory, "compose.shared_memory"),
)
