"""What a walk through a file knows, by subject: the parts of `Run`."""

import ast
from typing import Any

from cudafit.lint.values import Class, Device, Func, HostArray, Module, Tensor, Value
from cudafit.model.code_finding import Edit
from cudafit.model.frozen import frozen
from cudafit.model.kind import FindingKind

NEW, BACK = "new", "back"


@frozen
class Place:
    """Where a module is, and by what: NEW (never moved), CPU, GPU, BACK on the CPU after it was moved, or ANY.

    ANY without a node: something that the file does not show may have moved it.
    """

    kind: str
    node: ast.AST | None = None
    option: bool = False


@frozen
class Hit:
    """A finding at a node."""

    kind: FindingKind
    node: ast.AST
    message: str
    edits: tuple[Edit, ...] = ()
    fix: str = ""  # where that of the kind does not fit


class Around:
    """Where the walk is: the loops, scopes and branches around this point."""

    def __init__(self) -> None:
        self.loops: list[ast.AST] = []
        self.contexts: list[Value] = []
        self.absent: list[ast.AST] = []  # conditions under which there is no GPU
        self.conditions = 0  # how many undecided branches are around
        self.loop_conditions: list[int] = []  # the same, where each loop began
        self.in_forward = 0  # inside the methods of a model that is, or may be, on the GPU
        self.repeated = 0  # inside the second turn of a loop
        self.library = False  # inside a function that the file itself never calls

    @property
    def certain(self) -> bool:
        """Whether the file itself comes here whatever is the case, and whatever machine it runs on."""
        return not self.conditions and not self.absent and not self.library

    def recover(self) -> None:
        """At the top of the file again."""
        for one in (self.loops, self.contexts, self.absent, self.loop_conditions):
            one.clear()
        self.conditions = self.in_forward = self.repeated = 0


class File:
    """What the file has anywhere; never undone."""

    def __init__(self) -> None:
        self.seen: set[str] = set()  # what happens in it
        self.classes: list[Class] = []
        self.functions: list[Func] = []
        self.flags: dict[str, Value] = {}  # the flags of absl


class Training:
    """What is trained, by what, and where it was put; judged at the end."""

    def __init__(self) -> None:
        self.touched: set[Module] = set()
        self.optimized: set[Module] = set()  # modules whose parameters an optimizer was given
        self.chosen: set[Module] = set()  # modules that an option of the user places
        self.moved: set[Module] = set()  # modules that a line of the file puts on the GPU
        self.trained_there: set[Module] = set()  # modules that make a step after it
        self.crossed: set[Module] = set()  # modules whose results are moved to another device
        self.ran: dict[Module, str] = {}  # modules that were run, and where they were when they ran last
        self.frozen: set[Module] = set()  # by `requires_grad_(False)`
        self.inferred: list[tuple[Module, Place, ast.AST]] = []  # modules that ran over a loader, not trained there
        # Loops and functions in which a step of training is made, and under how many conditions in them.
        self.stepped: dict[ast.AST, int] = {}
        self.entered: dict[ast.AST, int] = {}
        self.prepared: dict[Module, str] = {}  # by `accelerator` or `fabric`
        self.bare_loaders: set[int] = set()  # nodes that make loaders which neither of them was given
        self.loader_loops: set[int] = set()  # loops over the batches of a loader, by the id of their node
        self.plain_parts: list[tuple[Module, str, Value, ast.AST]] = []  # lists and dicts with layers, in modules
        self.unmoved: dict[ast.AST, Module] = {}  # models that are never moved, by the node that makes them
        self.on_cpu: list[tuple[ast.AST, Hit]] = []  # what makes a model that is trained on the CPU, by its name
        self.on_gpu: set[ast.AST] = set()  # what makes a model that is put on the GPU
        self.worked: set[ast.AST] = set()  # what makes a model that computes something in this process
        self.unknown_loss = False  # `.backward()` of something that nobody knows: any model may have computed it


class Tensors:
    """Tensors whose making is remembered."""

    def __init__(self) -> None:
        # Where tensors of the CPU come from that can be moved there: the call that makes one, or the loop and the name.
        self.origins: dict[Tensor, tuple[ast.AST, str]] = {}
        self.forward_nodes: set[int] = set()  # tensors that are made in the methods of a model


class Ending:
    """What is judged when the whole file is known."""

    def __init__(self) -> None:
        self.forced: list[tuple[ast.AST, str]] = []  # settings that keep JAX on the CPU
        self.compared: set[int] = set()  # those that are no matter where a GPU is named the same way: a comparison
        # CUDA_VISIBLE_DEVICES, set after CUDA was started, and by what
        self.late: list[tuple[ast.AST, ast.AST, str]] = []
        self.libraries: list[tuple[str, ast.AST, str]] = []  # a library, what keeps it on the CPU, and what to say
        self.loaded: set[ast.AST] = set()  # what makes an estimator of a library that is loaded from a file
        self.fitted: set[ast.AST] = set()  # and one that is trained
        self.told_later: set[ast.AST] = set()  # and one that is told a device after it was made
        self.tf_hidden: list[ast.AST] = []  # calls that hide the GPU from TensorFlow
        self.tf_on_cpu: list[Device] = []  # scopes of the CPU in which TensorFlow trains
        # Arrays that went to the host and came back; the loop, and under how many conditions in it.
        self.returned: list[tuple[Any, ast.AST, int]] = []
        self.host_arrays: list[tuple[HostArray, ast.AST]] = []  # given to calls of what JAX compiled, in loops


class Nodes:
    """What is known of nodes by their id."""

    def __init__(self) -> None:
        self.marks: dict[int, str] = {}  # what a node that names the CPU is: `device_map`, `config`
        self.kept: list[ast.AST] = []  # so that no other node gets the same id
