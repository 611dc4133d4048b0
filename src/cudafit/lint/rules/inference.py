"""Libraries that compute on the CPU unless a call says otherwise: OpenCV's DNN module, and spaCy."""

from collections.abc import Callable

from cudafit.lint.arguments import Call
from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Const, Ref, Thing, Value

_READS = (
    *("readNet", "readNetFromCaffe", "readNetFromDarknet", "readNetFromTensorflow", "readNetFromTorch"),
    *("readNetFromONNX", "readNetFromTFLite"),
)
_OPENCV, _SPACY = "OpenCV DNN", "spaCy"
_OTHER_BACKENDS = ("DNN_BACKEND_OPENCV", "DNN_BACKEND_DEFAULT")


def read_net(run: Run, _name: str, given: Call) -> Value:
    """`cv2.dnn.readNet(...)`: judged at the end, where no backend was asked for."""
    _note(run, _OPENCV, given, "OpenCV's DNN module computes on the CPU where no backend with CUDA is set")
    return Thing("cv_net", given.node)


def net_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name != "setPreferableBackend":
        return UNKNOWN
    backend = given.get(0, "backendId")
    words = backend.name.rpartition(".")[2] if isinstance(backend, Ref) else ""
    if words in _OTHER_BACKENDS:
        run.ending.libraries = [one for one in run.ending.libraries if one[1] is not base.node]
        _note(run, _OPENCV, given, f"`{words}` keeps OpenCV's DNN module off CUDA")
    else:
        run.file.seen.add(f"gpu of {_OPENCV}")
    return UNKNOWN


def load_pipeline(run: Run, _name: str, given: Call) -> Value | None:
    """`spacy.load("en_core_web_trf")`: a transformer, on the CPU unless the GPU was asked for before."""
    name = given.get(0, "name")
    if isinstance(name, Const) and str(name.value).endswith("_trf"):
        message = "spaCy keeps this transformer on the CPU where `spacy.prefer_gpu()` is not called before"
        _note(run, _SPACY, given, message)
    return None


def prefer_gpu(run: Run, _name: str, _given: Call) -> Value:
    run.file.seen.add(f"gpu of {_SPACY}")
    return UNKNOWN


def _note(run: Run, library: str, given: Call, message: str) -> None:
    if not run.around.absent and not run.around.conditions:
        run.ending.libraries.append((library, given.node, message))


FUNCTIONS: dict[str, Callable[[Run, str, Call], Value | None]] = {
    **{f"cv2.dnn.{name}": read_net for name in _READS},
    "spacy.load": load_pipeline,
    **dict.fromkeys(
        ("spacy.prefer_gpu", "spacy.require_gpu", "thinc.api.prefer_gpu", "thinc.api.require_gpu"), prefer_gpu
    ),
}
