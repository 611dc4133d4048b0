"""What is in an environment, read from its files: nothing is imported, nothing is run, and every read has a limit.

What lies there is untrusted: a METADATA of a gigabyte, a link in a circle or a name with `..` in it is noted, and the
rest is read.
"""

import re
from collections.abc import Mapping, Sequence

from cudafit.env import gpu_parts
from cudafit.env.builds import read_companions, read_tensorflow, read_torch
from cudafit.env.conda_side import CondaSide
from cudafit.env.distributions import read_conda_packages, read_distributions
from cudafit.env.dlls import Dlls, is_of_windows
from cudafit.env.extensions import gone_libraries, listed_libraries, read_extensions
from cudafit.env.interpreter import (
    conda_compiler,
    find_interpreter,
    has_header,
    managed_by,
    python_by_folders,
    python_by_name,
)
from cudafit.env.loader import Loader
from cudafit.env.loads import cudnn_made_for, newest_glibc, nvidia_folders, read_loads, torch_files
from cudafit.env.places import read_places, read_settings
from cudafit.env.reader import Reader
from cudafit.files import Files
from cudafit.model.environment import CONDA, SYSTEM, VENV, Environment
from cudafit.model.located import Located


def read_inventory(
    files: Files,
    located: Located,
    environ: Mapping[str, str] | None = None,
    system: Sequence[tuple[str, str]] | None = None,
) -> Environment:
    """The environment as it lies there; what cannot be read is in its `problems`.

    `system` are the folders in which the linker looks by itself, each with who says so; None: they are not known.
    """
    prefix, environ = located.prefix, environ or {}
    reader = Reader(files, windows=is_of_windows(files, prefix, environ))
    settings = read_settings(reader, prefix) if located.kind == VENV else {}
    conda = tuple(read_conda_packages(reader, prefix)) if located.kind == CONDA else ()
    places = list(dict.fromkeys(read_places(reader, located, settings, environ)))
    distributions = tuple(read_distributions(reader, places))
    interpreter = located.interpreter or find_interpreter(reader, prefix)
    program = reader.real(interpreter) if interpreter and files.exists(interpreter) else None
    outside = located.kind == SYSTEM
    python = settings.get("version_info") or settings.get("version") or (python_by_name(program) if outside else None)
    python = python or python_by_folders(conda, places)
    conda_side = CondaSide(files, prefix, conda, distributions)
    torch, tensorflow = read_torch(reader, places), read_tensorflow(reader, places, distributions)
    loader = Loader(files, environ, system, interpreter)
    loads = read_loads(files, loader, places, tensorflow)
    loaded = {load.soname: load for load in loads["torch"]} if "torch" in loads else None
    parts, folders = torch_files(files, places), nvidia_folders(files, places)
    listed = [(one, listed_libraries(reader, one)) for one in distributions]
    dlls = Dlls(files, prefix, places, environ)
    extensions = tuple(read_extensions(files, loader, dlls, listed, loaded, parts, folders))
    return Environment(
        path=prefix,
        kind=located.kind,
        python=re.sub(r"^(\d+(\.\d+)*).*", r"\1", python) if python else None,
        interpreter=interpreter,
        program=program,
        header=has_header(reader, program, python) if program else None,
        compiler=conda_compiler(reader, prefix) if located.kind == CONDA else None,
        places=tuple(places),
        distributions=distributions,
        conda=conda,
        doubled=tuple(conda_side.doubled()),
        damaged=tuple(conda_side.damaged()),
        torch=torch,
        tensorflow=tensorflow,
        loads=loads,
        extensions=extensions,
        gone=tuple(gone_libraries(files, listed)),
        too_old=tuple(loader.too_old.values()),
        cudnn_made_for=cudnn_made_for(files, places, loads),
        glibc=newest_glibc(loader, places, prefix, loads),
        libraries=tuple(gpu_parts.read_libraries(reader, places)),
        companions=read_companions(reader, places),
        bitsandbytes=gpu_parts.bitsandbytes(reader, places),
        bitsandbytes_falls_back=gpu_parts.bitsandbytes_falls_back(reader, places),
        bitsandbytes_without_lt=gpu_parts.bitsandbytes_without_lt(reader, places),
        no_vc_runtime=gpu_parts.no_vc_runtime(reader, prefix, settings.get("home"), environ),
        xformers_cuda=gpu_parts.xformers_cuda(reader, places),
        libdevice=gpu_parts.libdevice(reader, places, prefix),
        openmp=tuple(gpu_parts.openmp(reader, prefix, places)),
        accelerate_cpu=gpu_parts.accelerate_for_the_cpu(reader, environ),
        system_site=settings.get("include-system-site-packages", "").lower() == "true",
        base=settings.get("home"),
        uv="uv" in settings,
        managed_by=managed_by(reader, prefix, program) if outside else None,
        found_by=located.found_by,
        problems=(*reader.problems, *conda_side.problems),
    )
