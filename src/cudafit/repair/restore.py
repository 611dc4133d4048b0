"""Putting trees back in their places by renaming them.

Where each tree lies tells how far an earlier attempt came, so each function here can be killed at any moment and called
again. None of them needs room on the disk.
"""

import contextlib
import os
from collections.abc import Callable

from cudafit.errors import CudafitError
from cudafit.repair import beside, parts
from cudafit.repair import journal as journals
from cudafit.repair.generations import clean, discard, generation, has_tree
from cudafit.repair.journal import Journal
from cudafit.repair.manifest import Differences, Manifest, compare, read_manifest
from cudafit.repair.state import Held, State, remove_if_unused
from cudafit.repair.trouble import named
from cudafit.repair.walk import walk
from cudafit.system.commands import command_text
from cudafit.system.durable import remove_durably, rename_durably, sync_file_system
from cudafit.system.folders import is_there

_TREE = "tree"


def undo(state: Held, journal: Journal, say: Callable[[str], None]) -> tuple[str, ...]:
    """End an unfinished change: what was before is brought back (`exchange`, itself a way back, is carried on). Under
    the lock. Returns the files that are not what they were. Raises CudafitError and OSError."""
    written: tuple[str, ...] = ()
    if journal.step == "snapshot":
        discard(state, journal.generation)
    elif journal.step == "exchange":
        written = exchange(state, journal)
    elif state.in_parts:
        parts.backward(state, journal.generation)
        discard(state, journal.generation)
    elif journal.new:
        _put_aside(state, journal.generation)
    else:
        written = _bring_back(state, journal.generation)
        beside.bring_back(state, journal.generation)
    finish(state)  # only now: until here each of these needs the manifest
    clean(state, say)
    remove_if_unused(state)
    return written


def finish(state: Held) -> None:
    """The change has come to an end, and that lasts. Raises OSError."""
    sync_file_system(state.at_parent)
    with contextlib.suppress(FileNotFoundError):
        remove_durably(journals.NAME, state.at_folder)


def exchange(state: Held, journal: Journal, checked: Differences | None = None) -> tuple[str, ...]:
    """The environment becomes a generation, and a generation the environment."""
    wanted, replaced = journal.generation, journal.replaced
    if state.in_parts and replaced is not None:
        if not is_there(wanted, state.at_generations):
            return ()  # an earlier attempt came to its end
        parts.swap(state, wanted, replaced)
        discard(state, wanted)
        return ()
    manifest = _manifest(state, wanted)
    written: tuple[str, ...] = ()
    if has_tree(state, wanted):
        written = _mend(state, wanted, manifest, checked or _differences(state, wanted, manifest))
        if state.exists:
            if replaced is None or has_tree(state, replaced):
                raise _made_anew(state)
            with generation(state, replaced) as folder:
                rename_durably(state.name, state.at_parent, _TREE, folder)
        _put_in_place(state, wanted)
    elif replaced is None or not has_tree(state, replaced):
        _check_is_back(state, wanted, manifest)
    _mend_top(state.env, manifest)
    beside.exchange(state, wanted, replaced)
    return written


def check_whole(state: State, name: str) -> Differences:
    """Raises CudafitError where a generation is not what it was, so that going back to it would make something else."""
    beside.check_copies(state, name)
    if state.in_parts:
        parts.check_unchanged(state, name)
        return Differences((), (), (), ())
    return _differences(state, name, _manifest(state, name))


def _differences(state: State, name: str, manifest: Manifest) -> Differences:
    tree = state.tree(name)
    found = walk(tree)
    differences = compare(manifest, found)
    if found.problems or differences.lost:
        raise CudafitError(
            f"generation {name} of `{state.env}` is damaged",
            cause=[
                "another program changed what cudafit keeps",
                *found.problems[:5],
                *named(f"{path}: missing, added or replaced" for path in differences.lost),
            ],
            hint=_way_out(state),
        )
    return differences


def _mend(state: State, name: str, manifest: Manifest, differences: Differences) -> tuple[str, ...]:
    """Make modes and the folders' times what they were. Returns the files that were written: those it cannot mend."""
    tree = state.tree(name)
    for path in differences.modes:
        os.chmod(os.path.join(tree, path) if path else tree, manifest.items[path].mode)
    for path in differences.times:
        place = os.path.join(tree, path) if path else tree
        os.utime(place, ns=(os.lstat(place).st_atime_ns, manifest.items[path].mtime_ns))
    return differences.written


def written_text(state: State, written: tuple[str, ...]) -> list[str]:
    """What to say of files that another program changed in place, so that the snapshot changed with them."""
    if not written:
        return []
    count = "1 file was" if len(written) == 1 else f"{len(written)} files were"
    return [
        f"{count} written in place after the snapshot, so the old bytes are gone (it holds large files as hard links)",
        f"reinstall what they belong to in `{state.env}`:",
        *named(written),
    ]


def _bring_back(state: Held, name: str) -> tuple[str, ...]:
    manifest = _manifest(state, name)
    written: tuple[str, ...] = ()
    if has_tree(state, name):
        written = _mend(state, name, manifest, _differences(state, name, manifest))
        _put_aside(state, name)
        _put_in_place(state, name)
    elif not is_there(_aside(name), state.at_discarded):
        _check_is_back(state, name, manifest)
    _mend_top(state.env, manifest)
    return written


def _put_in_place(state: Held, name: str) -> None:
    with generation(state, name) as folder:
        rename_durably(_TREE, folder, state.name, state.at_parent)


def _put_aside(state: Held, name: str) -> None:
    """The half-changed environment goes out of the way, whole. There may be none: a program removed it."""
    if not state.exists:
        return
    if is_there(_aside(name), state.at_discarded):
        raise _made_anew(state)
    rename_durably(state.name, state.at_parent, _aside(name), state.at_discarded)


def _aside(name: str) -> str:
    return f"{name}-changed"


def _mend_top(env: str, manifest: Manifest) -> None:
    """Some file systems set a folder's time when it is renamed."""
    top = manifest.items.get("")
    if top is not None:
        os.chmod(env, top.mode)
        os.utime(env, ns=(os.lstat(env).st_atime_ns, top.mtime_ns))


def _manifest(state: State, name: str) -> Manifest:
    return read_manifest(state.generation(name), _way_out(state))


def _way_out(state: State) -> str:
    """Where a generation cannot be brought back: another one, or the environment as it is now."""
    others = f"then go back further (`{command_text('cudafit', 'rollback', state.env, '--list')}`) or make it anew"
    if os.path.lexists(state.journal):
        return f"{command_text('rm', state.journal)}, {others}"
    return others.removeprefix("then ")


def _check_is_back(state: State, name: str, manifest: Manifest) -> None:
    """The tree to bring back is not in its place, and nothing shows that it was moved to where it belongs. Either it
    was, or another program removed it."""
    if state.exists and os.path.isdir(state.env):
        differences = compare(manifest, walk(state.env))
        if not (differences.lost or differences.written):
            return
    raise CudafitError(
        f"generation {name} of `{state.env}` is gone, so it cannot be brought back",
        cause=[f"another program removed `{state.tree(name)}`; the environment may be half changed"],
        hint=_way_out(state),
    )


def _made_anew(state: State) -> CudafitError:
    return CudafitError(
        f"`{state.env}` was made anew by another program while its earlier state was being brought back",
        cause=["cudafit had moved it out of the way, and will not throw away what was made since"],
        hint=f"{command_text('mv', state.env, f'{state.env}.new')}, then run the same again",
    )
