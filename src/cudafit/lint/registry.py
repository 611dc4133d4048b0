"""What `lint` can find: how bad each finding is, and what to do about it."""

from cudafit.model.frozen import frozen

_FOREIGN = "info.tf_gpu_hidden_for_other_framework"


@frozen
class Kind:
    """One kind of finding."""

    id: str
    severity: str  # error, warning, info
    about: str
    fix: str


KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind(
            "code.model_on_cpu",
            "error",
            "a model that is never moved to the GPU",
            "move it before the optimizer is made: `model.to(device)`, and each batch in the loop",
        ),
        Kind(
            "code.to_result_discarded",
            "error",
            "the result of `tensor.to()` is thrown away",
            "assign it: `x = x.to(device)`; only modules are moved in place",
        ),
        Kind(
            "code.device_hardcoded_cpu",
            "error",
            "the device is written down as the CPU",
            '`torch.device("cuda" if torch.cuda.is_available() else "cpu")`',
        ),
        Kind(
            "code.device_selection_inverted",
            "error",
            "the CPU is chosen where there is a GPU",
            "swap the two devices",
        ),
        Kind(
            "code.device_default_cpu",
            "warning",
            "the default of an option is the CPU",
            "let the default be what the machine has: `cuda` where it is available",
        ),
        Kind(
            "code.moved_back_to_cpu",
            "error",
            "the model is moved to the CPU, and trained on",
            "save a copy: `{k: v.cpu() for k, v in model.state_dict().items()}`",
        ),
        Kind(
            "code.tensor_created_on_cpu_in_forward",
            "error",
            "a tensor made without a device inside the model",
            "give it the device of the input: `device=x.device`",
        ),
        Kind(
            "code.unregistered_submodule",
            "error",
            "layers in a plain list or dict",
            "use `nn.ModuleList` or `nn.ModuleDict`: only then `.to()` and `.parameters()` see them",
        ),
        Kind(
            "code.cvd_disabled",
            "error",
            "the script hides every GPU",
            "remove the line; choose GPUs where the job is started",
        ),
        Kind(
            "code.cvd_set_too_late",
            "error",
            "CUDA_VISIBLE_DEVICES is set after CUDA has read it",
            "set it above the first use of CUDA, best before the framework is imported",
        ),
        Kind(
            "code.lightning_cpu",
            "error",
            "Lightning's Trainer or Fabric is told to use the CPU",
            '`accelerator="auto"`',
        ),
        Kind(
            "code.hf_trainer_cpu",
            "error",
            "the Hugging Face Trainer is told to use the CPU",
            "remove `use_cpu` or `no_cuda`: the Trainer takes the GPU by itself",
        ),
        Kind(
            "code.hf_pipeline_cpu",
            "error",
            "a pipeline is put on the CPU",
            "`pipeline(..., device=0)`",
        ),
        Kind(
            "code.device_map_cpu",
            "error",
            "a model is loaded onto the CPU and used there",
            '`device_map="auto"`',
        ),
        Kind(
            "code.accelerate_cpu",
            "error",
            "Accelerate is told to use the CPU",
            "remove `cpu=True`",
        ),
        Kind(
            "code.accelerate_not_prepared",
            "error",
            "a model that is not passed to `prepare()`",
            "`model, optimizer, loader = accelerator.prepare(model, optimizer, loader)`",
        ),
        Kind(
            "code.fabric_not_setup",
            "error",
            "a model that is not passed to `setup()`",
            "`model, optimizer = fabric.setup(model, optimizer)`",
        ),
        Kind(
            "code.tf_device_cpu",
            "error",
            "TensorFlow trains inside a scope of the CPU",
            "remove the scope: TensorFlow places on the GPU by itself",
        ),
        Kind(
            "code.tf_gpu_hidden",
            "error",
            "TensorFlow is told to see no GPU",
            "remove the line",
        ),
        Kind(
            "code.tf_config_too_late",
            "error",
            "TensorFlow's devices are configured after they were started",
            "move the line to the top, before the first tensor or model",
        ),
        Kind(
            "code.keras_backend_cpu_only",
            "error",
            "Keras is told to compute with NumPy",
            "choose `jax`, `torch` or `tensorflow`",
        ),
        Kind(
            "code.jax_cpu_forced",
            "error",
            "JAX is told to use the CPU",
            "remove the line",
        ),
        Kind(
            "code.jax_committed_to_cpu",
            "error",
            "`device_put` commits arrays to the CPU, and with them all that is computed from them",
            "leave out `device_put`: JAX places arrays on the GPU by itself",
        ),
        Kind(
            "code.cupy_roundtrip",
            "warning",
            "arrays leave the GPU in each turn of a loop",
            "stay in CuPy: most functions of NumPy have the same name there",
        ),
        Kind(
            "code.host_compute_in_loop",
            "warning",
            "a step of training computes with NumPy and goes back",
            "use the function of torch with the same meaning: the tensor stays on the GPU",
        ),
        Kind(
            "code.config_device_cpu",
            "warning",
            "a configuration names the CPU",
            "`auto`, or `cuda`",
        ),
        Kind(
            _FOREIGN,
            "info",
            "TensorFlow sees no GPU, as another framework uses it",
            "nothing to do: this keeps TensorFlow from taking the memory of the GPU",
        ),
    )
}
