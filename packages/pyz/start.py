"""What `python3 cudafit.pyz` starts: unpacks what the file holds, once, and hands over to it.

An old Python must be able to read this far, so it is written as for Python 2. The folder lies in the user's cache and
is named for what it holds; it is used only where nobody else can have written into it or into one that it lies in.
Where there is no such place, a temporary folder is filled and removed at the end.
"""

import os
import sys

KEY = "@KEY@"
LIST = "cudafit.files"
CONTENT = "content.zip"
MONTH_S = 30 * 24 * 3600
OLDEST = (3, 10)


def too_old():
    """The line for a Python that cannot run cudafit."""
    newer = ["python3.%d" % minor for minor in range(20, OLDEST[1] - 1, -1)]
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(place)]
    there = [name for name in newer if any(os.access(os.path.join(place, name), os.X_OK) for place in places)]
    told = "; `%s` is on PATH" % there[0] if there else ""
    return "error: cudafit needs Python 3.10 or newer; this is %d.%d%s\n" % (sys.version_info[:2] + (told,))


def is_ours_alone(path):
    """Whether only this user and root can change what `path`, a real one, leads to."""
    if not hasattr(os, "getuid"):
        return True
    owners, sticky = (0, os.getuid()), 0o1000
    while True:
        found = os.lstat(path)
        if found.st_uid not in owners or (found.st_mode & 0o022 and not found.st_mode & sticky):
            return False
        above = os.path.dirname(path)
        if above == path:
            return True
        path = above


def is_whole(folder):
    """Whether all is there: some sites remove from caches what was not read for a while, file by file."""
    try:
        with open(os.path.join(folder, LIST), encoding="utf-8") as file:
            rows = [line.rstrip("\n").partition(" ") for line in file]
        return bool(rows) and all(os.stat(os.path.join(folder, path)).st_size == int(size) for size, _, path in rows)
    except (OSError, ValueError):
        return False


def unpack(folder):
    import io
    import zipfile

    with zipfile.ZipFile(os.path.dirname(os.path.abspath(__file__))) as outer:
        content = io.BytesIO(outer.read(CONTENT))
    with zipfile.ZipFile(content) as inner:
        inner.extractall(folder)
        files = [one for one in inner.infolist() if not one.filename.endswith("/")]
    with open(os.path.join(folder, LIST), "w", encoding="utf-8") as file:
        file.writelines("%d %s\n" % (one.file_size, one.filename) for one in files)


def kept(room):
    """The folder in the cache; raises OSError where it cannot be there, or may be others' work."""
    place = os.path.join(room, KEY)
    if is_whole(place) and is_ours_alone(os.path.realpath(place)):
        return place
    import shutil
    import tempfile

    os.makedirs(room, mode=0o700, exist_ok=True)
    if not is_ours_alone(os.path.realpath(room)):
        raise OSError("others may write there")
    new = tempfile.mkdtemp(prefix=".new-", dir=room)
    try:
        unpack(new)
        if os.path.lexists(place) and not (is_whole(place) and is_ours_alone(os.path.realpath(place))):
            old = tempfile.mkdtemp(prefix=".old-", dir=room)
            os.rename(place, os.path.join(old, KEY))
            shutil.rmtree(old, ignore_errors=True)
        try:
            os.rename(new, place)
        except OSError:
            if not is_whole(place):  # it is, where another process was quicker
                raise
        forget(room)
    finally:
        shutil.rmtree(new, ignore_errors=True)  # it is not there any more where it was put into its place
    return place


def forget(room):
    """What other versions and killed processes left there a month ago."""
    import shutil
    import time

    for name in os.listdir(room):
        path = os.path.join(room, name)
        if name != KEY and os.lstat(path).st_mtime < time.time() - MONTH_S:
            shutil.rmtree(path, ignore_errors=True)


def temporary():
    """A folder for this run alone; raises OSError, the last one, where there is no room for it."""
    import atexit
    import shutil
    import tempfile

    refused = None
    for place in (None, "/dev/shm"):
        try:
            folder = tempfile.mkdtemp(prefix="cudafit-pyz-", dir=place)
        except OSError as error:
            refused = error
            continue
        atexit.register(shutil.rmtree, folder, True)
        try:
            unpack(folder)
        except OSError as error:
            refused = error
            shutil.rmtree(folder, ignore_errors=True)
            continue
        return folder
    raise refused


def folder():
    home = os.environ.get("HOME") or os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if os.path.isabs(cache):
        try:
            return kept(os.path.join(cache, "cudafit", "pyz"))
        except OSError:
            pass
    return temporary()


def start():
    if sys.version_info < OLDEST:
        sys.stderr.write(too_old())
        sys.exit(2)
    try:
        place = folder()
    except OSError as error:
        sys.stderr.write("error: there is no folder to unpack cudafit into: %s; TMPDIR names another\n" % error)
        sys.exit(3)
    sys.path[0] = place  # where this file itself stood


if __name__ == "__main__":
    start()
    from cudafit.__main__ import main

    main()
