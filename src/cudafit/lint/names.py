"""Full names in one spelling, and what is known of the functions behind them."""

import re
from functools import cache

_SAME = (
    ("pytorch_lightning", "lightning"),
    ("lightning_fabric", "lightning"),
    ("lightning.pytorch", "lightning"),
    ("lightning.fabric", "lightning"),
    ("lightning.core.module", "lightning"),
    ("lightning.trainer", "lightning"),
    ("lightning.cli", "lightning"),
    ("tensorflow.compat.v1", "tensorflow"),
    ("tensorflow.compat.v2", "tensorflow"),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("tf_keras", "keras"),
    ("keras.api", "keras"),
    ("tensorflow.config.experimental", "tensorflow.config"),
    ("torch.utils.data.dataloader", "torch.utils.data"),
    ("torch.utils.data.dataset", "torch.utils.data"),
    ("torch.nn.modules.module", "torch.nn"),
    ("torch.nn.parallel", "torch.nn"),
    ("accelerate.accelerator", "accelerate"),
    ("transformers.trainer", "transformers"),
    ("transformers.training_args", "transformers"),
    ("transformers.pipelines", "transformers"),
    ("trl.trainer", "trl"),
)


@cache
def canonical(name: str) -> str:
    """One name for what several names lead to."""
    for alias, real in _SAME:
        if name == alias or name.startswith(f"{alias}."):
            return canonical(real + name[len(alias) :])
    return name


# What may be given a module without doing anything to its place. The rest of the world may move it.
_HARMLESS = re.compile(
    r"(builtins\.(print|len|isinstance|issubclass|type|str|repr|id|hasattr|callable|sum|bool|hash|dir|vars|any|all|min|"
    r"max|sorted|format|super|setattr|delattr)|torch\.(save|onnx\.export|is_tensor|manual_seed|no_grad|enable_grad)"
    r"|torch\.nn\.utils\..*|torch\.nn\.init\..*|torch\.nn\.functional\..*|torch\.utils\.data\..*"
    r"|torch\.optim\.swa_utils\.update_bn|(numpy|math|logging|json|time|pickle|warnings|wandb|matplotlib|sklearn|"
    r"torchmetrics|torchinfo|torchsummary|thop|fvcore|ptflops|random|tqdm|rich|pprint|gc|sys|os|inspect|weakref|typing|"
    r"tensorboardX|mlflow|itertools|copy|einops)(\..*)?|torch\.utils\.tensorboard\..*)$"
)
_HARMLESS_METHODS = frozenset(
    [
        "info",
        "debug",
        "warning",
        "error",
        "print",
        "write",
        "watch",
        "add_graph",
        "log",
        "append",
        "extend",
        "add",
        "update",
        "register",
        "log_model",
        "add_scalar",
        "add_text",
        "put",
        "insert",
        "save",
        "summary",
    ]
)


@cache
def is_harmless(name: str) -> bool:
    return _HARMLESS.match(name) is not None


def is_harmless_method(name: str) -> bool:
    return name in _HARMLESS_METHODS


_NOT_A_MODEL = re.compile(
    r"(Tokenizer|Config|Processor|FeatureExtractor|Scheduler|Collator|Image(Processor)?|Args|Arguments|Output|Mixin|"
    r"Dataset|Callback|Trainer|Streamer|Criteria|Fast)"
)
_MODEL = re.compile(r"For[A-Z]\w|LMHead|UNet\w|Autoencoder\w|Transformer|(Model|Encoder|Decoder)$")


def is_pretrained_model(name: str) -> bool:
    """`transformers.AutoModelForCausalLM` and its kind: their `from_pretrained` gives a module on the CPU."""
    root, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    return root in ("transformers", "diffusers") and bool(_MODEL.search(last)) and not _NOT_A_MODEL.search(last)


# Layers without weights: where they are does not matter.
WEIGHTLESS = re.compile(
    r"torch\.nn\.(\w*ReLU\w*|GELU|SiLU|Mish|ELU|SELU|CELU|Tanh\w*|Sigmoid|LogSigmoid|Hard\w+|Soft\w+|Softmax\w*|LogSoftmax|"
    r"Threshold|GLU|Dropout\w*|AlphaDropout|Flatten|Unflatten|Identity|\w*Pool\w*|Upsample\w*|PixelShuffle|"
    r"PixelUnshuffle|\w*Pad\w*|\w*Loss|Fold|Unfold|CosineSimilarity|PairwiseDistance|ChannelShuffle)$"
)

# Functions that make a module, beside the classes of torch.nn.
MODULE_MAKERS = re.compile(
    r"(torch\.nn\.[A-Z]\w*|torchvision\.models\.(\w+\.)*(?!get_|list_)[a-z]\w*|torchvision\.models\.get_model|"
    r"torchvision\.models\.(\w+\.)*[A-Z](?!\w*Weights)\w*|timm\.create_model|torchvision\.ops\.MLP|"
    r"segmentation_models_pytorch\.[A-Z]\w*|torch_geometric\.nn\.[A-Z]\w*(?<!Parallel)|monai\.networks\.nets\.[A-Z]\w*|"
    r"efficientnet_pytorch\.EfficientNet\.(from_pretrained|from_name)|torchaudio\.models\.\w+|"
    r"vit_pytorch\.[A-Z]\w*|kan\.KAN)$"
)
# Of torch.nn, but no layer.
NO_MODULE = frozenset(("torch.nn.Parameter", "torch.nn.DistributedDataParallel", "torch.nn.DataParallel"))
CONTAINERS = frozenset(
    f"torch.nn.{name}"
    for name in ["Sequential", "ModuleList", "ModuleDict", "TransformerEncoder", "TransformerDecoder"]
)
MODULE_BASES = re.compile(
    r"(torch\.nn\.(?!Parameter)[A-Z]\w*|torchvision\.models\.(\w+\.)*[A-Z]\w*|transformers\.(\w+\.)*PreTrainedModel|"
    r"transformers\.\w+(Model|PreTrainedModel)|torch_geometric\.nn\.(\w+\.)*[A-Z]\w*|gpytorch\.models\.\w+|"
    r"torch\.jit\.ScriptModule|pyro\.nn\.PyroModule|timm\.models\.\w+\.[A-Z]\w*)$"
)

TENSOR_MAKERS = frozenset(
    f"torch.{name}"
    for name in [
        "zeros",
        "ones",
        "rand",
        "randn",
        "randint",
        "arange",
        "linspace",
        "logspace",
        "empty",
        "full",
        "eye",
        "randperm",
        "tensor",
        "as_tensor",
        "from_numpy",
        "Tensor",
        "FloatTensor",
        "LongTensor",
        "DoubleTensor",
        "IntTensor",
        "BoolTensor",
        "ByteTensor",
        "HalfTensor",
        "normal",
        "bernoulli",
        "multinomial",
        "hann_window",
        "hamming_window",
        "tril_indices",
        "triu_indices",
    ]
)
KERAS_BASES = re.compile(r"(keras\.(models\.)?Model|keras\.Sequential|tensorflow\.Module)$")
