"""Which rule is asked about which function and method."""

import re
from collections.abc import Callable
from typing import Any

from cudafit.lint.arguments import Call
from cudafit.lint.names import MODULE_MAKERS, TENSOR_MAKERS
from cudafit.lint.rules import (
    builtin,
    containers,
    devices,
    environment,
    hosts,
    huggingface,
    jax,
    lightning,
    options,
    tensorflow,
    torch_modules,
    torch_tensors,
    training,
)
from cudafit.lint.run import Run
from cudafit.lint.values import Host, Map, Optimizer, Params, Part, Seq, Tensor, Value

Function = Callable[[Run, str, Call], Value | None]

FUNCTIONS: dict[str, Function] = {
    "torch.device": devices.make_device,
    "torch.cuda.is_available": devices.available,
    "torch.cuda.device_count": devices.available,
    "torch.accelerator.is_available": devices.available,
    "torch.set_default_device": devices.set_default_device,
    "torch.set_default_tensor_type": devices.set_default_device,
    "torch.load": torch_modules.load,
    "torch.jit.load": torch_modules.load,
    "torch.hub.load": lambda run, _name, given: torch_modules.make(run, "torch.hub.load", given),
    "torch.compile": torch_modules.wrap,
    "torch.jit.script": torch_modules.wrap,
    "torch.jit.trace": torch_modules.wrap,
    "torch.nn.DataParallel": torch_modules.data_parallel,
    "torch.nn.DistributedDataParallel": torch_modules.data_parallel,
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm": torch_modules.wrap,
    "torch.distributed.init_process_group": builtin.process_group,
    "torch.utils.data.DataLoader": builtin.loader,
    "torch.utils.data.TensorDataset": builtin.tensor_dataset,
    "copy.deepcopy": torch_modules.copied,
    "copy.copy": torch_modules.copied,
    "peft.get_peft_model": huggingface.wrap,
    "peft.prepare_model_for_kbit_training": huggingface.wrap,
    "peft.PeftModel.from_pretrained": huggingface.wrap,
    "lightning.Trainer": lightning.trainer,
    "lightning.Fabric": lightning.fabric,
    "lightning.LightningCLI": lightning.cli,
    "transformers.pipeline": huggingface.pipeline,
    "transformers.Trainer": huggingface.trainer,
    "transformers.Seq2SeqTrainer": huggingface.trainer,
    "transformers.HfArgumentParser": options.dataclass_parser,
    "accelerate.Accelerator": huggingface.accelerator,
    "ultralytics.YOLO": huggingface.yolo,
    "argparse.ArgumentParser": builtin.parser,
    "configargparse.ArgumentParser": builtin.parser,
    "click.option": options.option,
    "click.argument": options.option,
    "typer.Option": options.typer_option,
    "typer.Argument": options.typer_option,
    "dataclasses.field": options.field,
    "os.putenv": environment.putenv,
    "os.environ.get": environment.getenv,
    "os.getenv": environment.getenv,
    "tensorflow.device": tensorflow.device,
    "tensorflow.GradientTape": tensorflow.tape,
    "tensorflow.ConfigProto": tensorflow.config_proto,
    "tensorflow.config.list_physical_devices": tensorflow.list_devices,
    "keras.config.set_backend": tensorflow.set_backend,
    "jax.config.update": jax.config_update,
    "jax.default_device": jax.default_device,
    "jax.devices": jax.devices,
    "jax.local_devices": jax.devices,
    "jax.device_put": jax.device_put,
    "functools.partial": jax.transform,
    "itertools.chain": builtin.chain,
    **dict.fromkeys(
        ("jax.jit", "jax.pmap", "jax.grad", "jax.value_and_grad", "jax.vmap", "flax.nnx.jit"), jax.transform
    ),
    **dict.fromkeys(("flax.nnx.value_and_grad", "flax.nnx.grad", "equinox.filter_jit"), jax.transform),
    **dict.fromkeys(("equinox.filter_value_and_grad", "equinox.filter_grad"), jax.transform),
    **dict.fromkeys(("jax.lax.scan", "jax.lax.fori_loop", "jax.lax.while_loop"), jax.scan),
    **dict.fromkeys(TENSOR_MAKERS, torch_tensors.make),
    **dict.fromkeys(tensorflow.CONFIGURES, tensorflow.configure),
    **dict.fromkeys(("absl.flags.DEFINE_string", "absl.flags.DEFINE_enum"), options.define_flag),
    **dict.fromkeys(
        (
            "fire.Fire",
            "absl.app.run",
            "typer.run",
            "tyro.cli",
            "jsonargparse.CLI",
            "jsonargparse.auto_cli",
            "defopt.run",
        ),
        options.run_main,
    ),
    **builtin.FUNCTIONS,
}

PATTERNS: tuple[tuple[re.Pattern[str], Function], ...] = (
    (MODULE_MAKERS, torch_modules.make),
    (re.compile(r"torch\.\w+_like$"), torch_tensors.like),
    (re.compile(r"torch\.cuda\.\w+$"), devices.cuda_call),
    (re.compile(r"torch\.optim\.(?!lr_scheduler|swa_utils)(\w+\.)*[A-Z]\w*$"), training.make_optimizer),
    (re.compile(r"torch\.(nn\.functional\.\w+|[a-z]\w*|linalg\.\w+|special\.\w+|fft\.\w+)$"), torch_tensors.function),
    (huggingface.ARGUMENTS, huggingface.arguments),
    (huggingface.PRETRAINED, huggingface.from_pretrained),
    (re.compile(r"(transformers|trl|sentence_transformers)\.(\w+\.)*\w*Trainer$"), huggingface.trainer),
    (re.compile(r"simpletransformers\..*"), huggingface.other_library),
    (tensorflow.STARTS, tensorflow.operation),
    (re.compile(r"tensorflow\.distribute\.(experimental\.)?\w*Strategy$"), tensorflow.strategy),
    (tensorflow.MODELS, tensorflow.make_model),
    (re.compile(r"cupy\..*"), hosts.cupy),
    (re.compile(r"numpy\..*"), hosts.numpy),
    (re.compile(r"(scipy|sklearn|cv2|PIL|matplotlib)\..*"), builtin.nothing),
    (re.compile(r"jax\.(?!config)\w+"), jax.operation),
)

METHODS: dict[type, Callable[[Run, Any, str, Call], Value | None]] = {
    Tensor: torch_tensors.method,
    Part: torch_tensors.part_method,
    Params: torch_tensors.params_method,
    Optimizer: training.optimizer_method,
    Seq: containers.sequence_method,
    Map: containers.map_method,
    Host: hosts.method,
}

THING_METHODS: dict[str, Callable[[Run, Any, str, Call], Value | None]] = {
    "parser": options.parser_method,
    "dataclass_parser": options.dataclass_parser_method,
    "environ": environment.environ_method,
    "trainer": lightning.trainer_method,
    "fabric": lightning.fabric_method,
    "accelerator": huggingface.accelerator_method,
    "pipeline": huggingface.pipeline_method,
    "yolo": huggingface.yolo_method,
    "keras_model": tensorflow.model_method,
    "tf_strategy": tensorflow.strategy_method,
    "jitted": jax.jitted_method,
    "cupy": hosts.cupy_method,
    "batch": builtin.batch_method,
    "loader": builtin.loader_method,
    "namespace": builtin.nothing_method,
}
