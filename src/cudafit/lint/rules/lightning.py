"""Lightning: the Trainer, its command line, and Fabric."""

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.rules import versions
from cudafit.lint.rules.training import prepare
from cudafit.lint.run import Run
from cudafit.lint.values import ANY, CPU, UNKNOWN, Const, Device, Map, Seq, Thing, Value
from cudafit.model import kinds

# Arguments that are gone since Lightning 2.0, where the default became `auto`. Before, it was the CPU.
_OLD = [
    "progress_bar_refresh_rate",
    "weights_summary",
    "flush_logs_every_n_steps",
    "checkpoint_callback",
    "auto_select_gpus",
    "resume_from_checkpoint",
    "auto_lr_find",
    "auto_scale_batch_size",
    "replace_sampler_ddp",
    "tpu_cores",
    "num_processes",
    "process_position",
    "terminate_on_nan",
    "stochastic_weight_avg",
    "prepare_data_per_node",
    "move_metrics_to_cpu",
    "track_grad_norm",
    "multiple_trainloader_mode",
    "distributed_backend",
    "log_gpu_memory",
    "amp_level",
]
_OLD_METHODS = ("training_epoch_end", "validation_epoch_end", "test_epoch_end")


def trainer(run: Run, _name: str, given: Call) -> Value:
    _check(run, given, "Trainer")
    for value in given.values():
        run.escape(value)
    return Thing("trainer", given.node)


def _check(run: Run, given: Call, what: str) -> None:
    quick = given.get(None, "fast_dev_run")
    if (quick is not None and not (isinstance(quick, Const) and not quick.value)) or run.around.absent:
        return
    accelerator = given.get(0 if what == "Fabric" else None, "accelerator")
    device = device_of(accelerator) if accelerator is not None else None
    if device is not None and device.kind == CPU:
        node = device.node or given.nodes.get("accelerator", given.node)
        if device.option:
            message = f'unless another one is asked for, the {what} gets `accelerator="cpu"`'
            run.hit(kinds.code.device_default_cpu, node, message)
        else:
            run.hit(
                kinds.code.lightning_cpu, node, f'the {what} trains on the CPU, which is asked for: `accelerator="cpu"`'
            )
        return
    for name in ("gpus", "devices"):
        count = given.keywords.get(name)
        if isinstance(count, Const) and count.value == 0 and count.value is not False:
            run.hit(
                kinds.code.lightning_cpu,
                given.nodes.get(name, count.node or given.node),
                f"`{name}=0` means no GPU: it is a number of devices, not the index of one",
            )
            return
    if what == "Trainer" and given.complete and not given.args and accelerator is None:
        _check_old(run, given)


def _check_old(run: Run, given: Call) -> None:
    known = versions.installed(run, "lightning", "pytorch-lightning")
    if known is not None and known[1] >= (2,):
        return
    gpus = given.keywords.get("gpus")
    if gpus is not None and not (isinstance(gpus, Const) and gpus.value is None):
        return
    if "devices" in given.keywords or "strategy" in given.keywords or "tpu_cores" in given.keywords:
        return
    old = [name for name in _OLD if name in given.keywords] + (["gpus"] if gpus is not None else [])
    old += [
        name
        for name in _OLD_METHODS
        if any(cls.family == "lightning" and name in cls.attrs for cls in run.file.classes)
    ]
    if known is not None:
        versions.trainer_without_accelerator(run, given.node)
    elif old:
        run.hit(
            kinds.code.lightning_cpu,
            given.node,
            f"this is for Lightning before 2.0 (`{old[0]}`), where a Trainer without `accelerator` uses the CPU",
        )


def cpu_accelerator(_run: Run, _name: str, given: Call) -> Value:
    """`Trainer(accelerator=CPUAccelerator())`."""
    return Device(CPU, given.node)


def cli(run: Run, _name: str, given: Call) -> Value:
    defaults = given.get(None, "trainer_defaults")
    if isinstance(defaults, Map):
        made = Call(given.node, keywords=dict(defaults.items))
        made.complete = False
        _check(run, made, "Trainer")
    return UNKNOWN


def trainer_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    for value in given.values():
        run.escape(value)
    return UNKNOWN


def fabric(run: Run, _name: str, given: Call) -> Value:
    _check(run, given, "Fabric")
    run.note("fabric", True)
    return Thing("fabric", given.node)


def fabric_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name in ("setup", "setup_module", "setup_optimizers", "setup_dataloaders", "to_device", "prepare"):
        prepare(run, given, "fabric")
        return given.args[0] if len(given.args) == 1 else Seq(list(given.args))
    if name == "backward":
        from cudafit.lint.rules import training  # noqa: PLC0415 - both look at modules

        training.backward_of(run, given)
        return UNKNOWN
    if name in ("init_module", "init_tensor"):
        return Thing("device_context", given.node, device=Device(ANY))
    if name in ("launch", "print", "save", "load", "barrier", "log", "log_dict", "seed_everything", "clip_gradients"):
        return UNKNOWN
    for value in given.values():
        run.escape(value)
    return UNKNOWN
