"""Steps of training: the moment at which it is asked where the model is."""

import ast
from dataclasses import replace

from cudafit.lint.arguments import Call
from cudafit.lint.join import modules_in
from cudafit.lint.operations import flat
from cudafit.lint.parts import BACK, NEW, Hit, Place
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Choice,
    Func,
    Map,
    Module,
    Optimizer,
    Params,
    Seq,
    Tensor,
    Thing,
    Value,
)
from cudafit.model import kinds


def parameters_in(value: Value, depth: int = 4) -> list[Module]:
    """The modules whose parameters these are."""
    if isinstance(value, Params | Optimizer):
        return list(value.modules)
    if isinstance(value, Tensor) and value.item == "parameter":
        return list(value.modules)
    if depth == 0:
        return []
    parts: list[Value] = []
    if isinstance(value, Seq):
        parts = value.items
    elif isinstance(value, Map):
        parts = list(value.items.values())
    elif isinstance(value, Choice):
        parts = value.options
    found: list[Module] = []
    for part in parts:
        found += [module for module in parameters_in(part, depth - 1) if module not in found]
    return found


def make_optimizer(run: Run, _name: str, given: Call) -> Value:
    """`torch.optim.Adam(model.parameters())`, and everything else that takes parameters to begin with."""
    modules: list[Module] = []
    for value in given.values():
        modules += [module for module in parameters_in(value) if module not in modules]
    run.training.optimized.update(modules)
    return Optimizer(tuple(modules))


def optimizer_method(run: Run, optimizer: Optimizer, name: str, given: Call) -> Value | None:
    if name == "step":
        for value in given.values():
            if isinstance(value, Func):
                run.invoke(value, Call(given.node))  # the closure of LBFGS
        step(run, optimizer.modules, given.node)
        return UNKNOWN
    if name == "add_param_group":
        found = [module for value in given.values() for module in parameters_in(value)]
        optimizer.modules = (*optimizer.modules, *found)
        return UNKNOWN
    return UNKNOWN


def steps_with(run: Run, given: Call) -> bool:
    """`scaler.step(optimizer)` and the like."""
    optimizers = [value for value in given.values() if isinstance(value, Optimizer)]
    for optimizer in optimizers:
        step(run, optimizer.modules, given.node)
    return bool(optimizers)


def step(run: Run, modules: tuple[Module, ...], node: ast.AST) -> None:
    run.note_step(run.loop)
    if run.around.loops:
        _judge(run, modules, node)
    elif run.around.library and run.scope.find("\0class") is not None and not run.around.absent:
        # A method that makes one step is called for each batch by whoever uses the class; what the class itself puts on
        # the CPU by name is there.
        for root in dict.fromkeys(module.root() for module in modules):
            place = run.place(root)
            if place.kind == CPU and not place.option and root in run.training.ran and not run.fact("gloo"):
                report(run, root, place)


def backward(run: Run, value: Value, node: ast.AST) -> None:
    """`loss.backward()`: judged here only where no optimizer is seen that makes the step."""
    run.note_step(run.loop)
    run.file.seen.add("torch trains")
    if not isinstance(value, Tensor):
        run.training.unknown_loss = True
        return
    run.training.worked.update(module.root().node for module in value.modules)
    if not run.around.loops:
        return
    modules = tuple(module for module in value.modules if has_weights(run, module) and _ran_there(run, module.root()))
    if modules and not any(one in run.training.optimized or one.root() in run.training.optimized for one in modules):
        _judge(run, modules, node)


def _ran_there(run: Run, module: Module) -> bool:
    """Whether what it computed was computed where it is now: moved away after its work, it is not trained there."""
    if module in run.training.frozen and run.place(module).kind == BACK:
        return False
    return run.training.ran.get(module, "") in ("", run.place(module).kind)


def has_weights(run: Run, module: Module, depth: int = 6) -> bool:
    """Whether there is something to place in it, as far as that is shown: a loss has nothing."""
    if module.family == "guessed":
        return module in run.training.ran
    if module.cls is None or module.family in ("loaded", "diffusers"):
        return not module.weightless
    return depth > 0 and any(has_weights(run, child, depth - 1) for child in module.children)


def backward_of(run: Run, given: Call) -> None:
    """`accelerator.backward(loss)`."""
    for value in given.args[:1]:
        backward(run, value, given.node)
    run.note_step(run.loop)


def infer(run: Run, module: Module, node: ast.AST) -> None:
    """A model that runs over all batches of a loader: judged at the end, if it was never trained or moved."""
    in_loader = any(id(loop) in run.training.loader_loops for loop in run.around.loops)
    if in_loader and not run.around.absent and not run.around.in_forward and has_weights(run, module.root()):
        place = run.place(module.root())
        if place.kind == NEW or (place.kind == CPU and place.node is not None):
            run.training.inferred.append((module.root(), place, node))


def prepare(run: Run, given: Call, by: str) -> None:
    """`accelerator.prepare(...)`, `fabric.setup(...)`: models are moved, and batches will be."""
    for value in given.values():
        for module in modules_in(value):
            run.move(module, Place(GPU))
            run.training.prepared[module.root()] = by
        for held in flat([value]):
            if isinstance(held, Thing) and held.kind == "loader":
                run.set(held.attrs, "prepared", UNKNOWN)


def fed_by(run: Run, module: Module, arguments: list[Value]) -> None:
    """A prepared model is given batches as they come from a loader that was not prepared."""
    if module not in run.training.prepared or run.around.absent:
        return
    for value in arguments:
        node = value.node if isinstance(value, Tensor | Thing) else None
        whole = isinstance(value, Thing) and value.kind == "batch"
        raw = whole or (isinstance(value, Tensor) and value.item in ("unpacked", "subscript"))
        if raw and node is not None and id(node) in run.training.bare_loaders:
            fabric = run.training.prepared[module] == "fabric"
            run.hit(
                kinds.code.fabric_not_setup if fabric else kinds.code.accelerate_not_prepared,
                node,
                f"the batches of this loader stay on the CPU: it was not passed to "
                f"{'`setup_dataloaders()`' if fabric else '`prepare()`'}",
            )


def used(run: Run, module: Module, node: ast.AST) -> None:
    """`model.generate()`: work enough to be asked where it is done, where the file says so itself."""
    place = run.place(module.root())
    if place.kind == CPU and place.node is not None and not run.around.absent:
        report(run, module.root(), place)
    elif place.kind == NEW and not run.around.absent:
        run.training.inferred.append((module.root(), place, node))


def _judge(run: Run, modules: tuple[Module, ...], _node: ast.AST) -> None:
    run.file.seen.add("torch trains")
    if run.around.absent or run.fact("gloo"):
        return
    roots: list[Module] = []
    for module in modules:
        root = module.root()
        if root not in roots and not root.weightless and not root.put_apart:
            roots.append(root)
    placed = [(root, run.place(root)) for root in roots]
    run.training.trained_there.update(root for root, place in placed if place.kind in (GPU, ANY) and place.node)
    if any(place.kind not in (NEW, CPU, BACK) for _, place in placed) and len(placed) > 1:
        placed = [(root, place) for root, place in placed if place.kind != NEW]
    # What comes out of it is moved, to a model that is on the GPU: then it was left on the CPU on purpose.
    apart = run.training.crossed if run.training.touched or run.training.chosen else set()
    never = [root for root, place in placed if place.kind == NEW and root not in apart]
    if never:
        first = min(never, key=lambda root: (getattr(root.node, "lineno", 0), getattr(root.node, "col_offset", 0)))
        report(run, first, run.place(first))
    for root, place in placed:
        if place.kind in (CPU, BACK):
            report(run, root, place)


def report(run: Run, module: Module, place: Place, *, trained: bool = True) -> None:
    if place.kind == BACK and place.node is not None:
        run.hit(
            kinds.code.moved_back_to_cpu,
            place.node,
            "this moves the model itself to the CPU, and the training goes on there",
        )
    elif place.kind == CPU and place.node is not None:
        _report_cpu(run, module, place, place.node)
    elif place.kind == NEW:
        _report_never_moved(run, module, "" if trained else _BEFORE_USE)


def _report_cpu(run: Run, module: Module, place: Place, node: ast.AST) -> None:
    mark = run.nodes.marks.get(id(node), "")
    if mark == "device_map":
        run.hit(kinds.code.device_map_cpu, node, "this loads the model onto the CPU, and it is used there")
    elif mark == "config":
        run.hit(kinds.code.config_device_cpu, node, "this configuration puts the model on the CPU")
    elif place.option:
        run.hit(kinds.code.device_default_cpu, node, "unless another device is asked for, the model is put on the CPU")
    else:
        hit = Hit(kinds.code.device_hardcoded_cpu, node, "the model is put on this device, the CPU")
        run.training.on_cpu.append((module.node, hit))


def judge(run: Run) -> None:
    """The device that is written down as the CPU. Where the same line of the code makes a model for the GPU too, both
    are wanted: one for a quick test, or to compare them. So they are where another model of the file trains on the GPU.
    """
    for made_by, hit in run.training.on_cpu:
        if made_by in run.training.on_gpu:
            continue
        if run.training.trained_there:
            message = f"{hit.message}; the file trains on the GPU, too"
            run.hit(kinds.info.cpu_on_purpose, hit.node, message)
        else:
            run.hit(hit.kind, hit.node, hit.message)
    _judge_moved_later(run)


def _judge_moved_later(run: Run) -> None:
    """A model that is trained on the CPU, moved, and trained on the GPU shows both; one that is moved only is late."""
    for node, module in run.training.unmoved.items():
        key = (kinds.code.model_on_cpu.id, id(node))
        hit = run.hits.get(key)
        if hit is not None and node not in run.training.worked and not run.training.unknown_loss:
            del run.hits[key]  # it holds the weights, and others compute with them: an evolution strategy
            continue
        if hit is None or module not in run.training.moved:
            continue
        if module in run.training.trained_there:
            del run.hits[key]
        else:
            run.hits[key] = replace(hit, message=hit.message.replace(_NEVER, _LATE))


_NEVER, _LATE = "and never moved to the GPU", "and moved to the GPU only after it was trained or used"


_BEFORE_USE = "move it before it is used, and what it is given: `model.to(device)`, `inputs.to(device)`"


def _report_never_moved(run: Run, module: Module, fix: str) -> None:
    name = f"`{module.name}`" if module.name else f"`{module.cls.node.name}`" if module.cls else "this model"
    if run.fact("accelerator"):
        run.hit(kinds.code.accelerate_not_prepared, module.node, f"{name} is trained and was not passed to `prepare()`")
    elif run.fact("fabric"):
        run.hit(kinds.code.fabric_not_setup, module.node, f"{name} is trained and was not passed to `setup()`")
    else:
        run.training.unmoved[module.node] = module
        run.hit(kinds.code.model_on_cpu, module.node, f"{name} is made on the CPU {_NEVER}", fix=fix)
