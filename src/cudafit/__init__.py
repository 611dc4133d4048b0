"""cudafit: which CUDA builds work on this machine, and is the GPU really doing the work?"""

__version__ = "0.1.0"
