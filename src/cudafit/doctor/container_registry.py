"""The checks of container files, in the order in which they are listed."""

from cudafit.doctor.check import check
from cudafit.doctor.checks import compose_files, dockerfiles, images
from cudafit.model import kinds

CHECKS = (
    check(
        "image-base", "the base's CUDA and the driver", images.base, kinds.image.base_too_new, kinds.image.no_kernels
    ),
    check(
        "image-wheels",
        "the torch that an image installs",
        images.wheels,
        kinds.image.wheel_too_new,
        kinds.image.no_kernels,
        kinds.image.arm_cpu_wheel,
    ),
    check("image-cpu", "builds for the CPU in an image", dockerfiles.cpu_builds, kinds.image.cpu_build),
    check(
        "image-names",
        "names of packages that an image installs",
        dockerfiles.names,
        kinds.provision.cu13_stub_name,
        kinds.provision.wrong_package,
        kinds.tf.gpu_stub_package,
    ),
    check("image-libc", "the C library of the base", dockerfiles.musl, kinds.image.musl_base),
    check(
        "image-variables", "variables of an image", dockerfiles.hidden, kinds.image.gpu_hidden, kinds.image.caps_missing
    ),
    check("image-driver", "a driver inside an image", dockerfiles.driver, kinds.image.driver_installed),
    check(
        "image-libraries",
        "LD_LIBRARY_PATH of an image",
        dockerfiles.library_path,
        kinds.image.stub_on_path,
        kinds.image.compat_on_path,
    ),
    check("compose-gpu", "whether a service gets its GPU", compose_files.no_gpu, kinds.compose.no_gpu),
    check(
        "compose-image",
        "the image's CUDA and the driver",
        images.service_image,
        kinds.compose.image_too_new,
        kinds.compose.no_kernels,
    ),
    check(
        "compose-devices",
        "what a service reserves",
        compose_files.requests,
        kinds.compose.capabilities_missing,
        kinds.compose.count_zero,
        kinds.compose.count_and_ids,
    ),
    check("compose-ids", "GPUs of this machine", compose_files.devices, kinds.compose.device_unknown),
    check(
        "compose-variables",
        "variables of a service",
        compose_files.hidden,
        kinds.compose.gpu_hidden,
        kinds.compose.caps_missing,
    ),
    check("compose-runtime", "the runtime of a service", compose_files.runtime, kinds.compose.runtime_nvidia),
    check("compose-memory", "shared memory of a service", compose_files.memory, kinds.compose.shared_memory),
)
