"""What a new environment keeps of the lock that it was made from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from cudafit.indexes import Indexes
from cudafit.model.plan import Made
from cudafit.repair import making
from cudafit.repair.engines import venv
from cudafit.repair.engines.engine import Means
from cudafit.repair.engines.venv_locks import Lock
from tests.repair.chaos import silent

LOCK = '[[packages]]\nname = "rich"\nwheels = [{url = "https://me:hunter2@index.test/rich-1-py3-none-any.whl"}]\n'


def test_the_lock_that_is_kept_holds_no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def transaction(path: str, **_: object) -> Iterator[SimpleNamespace]:
        Path(path).mkdir()
        yield SimpleNamespace(lock=0)

    given: list[str] = []
    monkeypatch.setattr(making, "transaction", transaction)
    monkeypatch.setattr(venv, "make_venv", lambda *_, **__: None)
    monkeypatch.setattr(venv, "install", lambda _path, text, *_, **__: given.append(text))
    env = tmp_path / "env"
    made = Made("venv", "3.12", (), Lock(LOCK, "pylock.toml", kept=LOCK))
    venv.VenvEngine(str(env)).create(made, Means(Indexes(), {}, silent))
    assert given == [LOCK]  # the installer needs it
    kept = (env / "pylock.cudafit.toml").read_text()
    assert kept == LOCK.replace("me:hunter2@", "")
