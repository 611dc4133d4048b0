"""Where packages come from: the default index as pip and uv are configured, and the user's mirrors of the others."""

import configparser
import os
from collections.abc import Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.settings import user_layer
from cudafit.system.reading import read_bytes, read_text
from cudafit.system.secrets import has_login, host_of, redacted
from cudafit.system.toml import TomlError, read_toml

_LIMIT = 1 << 20
_PIP_LIMIT = 64 << 10  # configparser takes time by the square of the lines that it cannot read
_VARIABLES = {"pytorch": "CUDAFIT_PYTORCH_INDEX", "conda": "CUDAFIT_CONDA_CHANNEL"}


@frozen
class Indexes:
    """The addresses to use: None is the one that everybody uses."""

    default: str | None = None  # the package index; None: the installers' own default, which is spelt nowhere here
    pytorch: str | None = None  # in place of the folder that holds PyTorch's indexes (`.../whl`)
    conda: str | None = None  # in place of conda-forge

    def of(self, index_name: str, url: str) -> str:
        """The address of an index that the matrix names."""
        if index_name.startswith("pytorch-") and self.pytorch:
            return f"{self.pytorch.rstrip('/')}/{index_name.removeprefix('pytorch-')}"
        if index_name == "conda-forge" and self.conda:
            return self.conda
        return url


def configured(environ: Mapping[str, str] = os.environ) -> Indexes:
    """By the environment first, then by `[indexes]` in cudafit's configuration file; raises InputError."""
    own = {one.key: str(one.value) for one in user_layer(environ)[1]}
    found = {name: environ.get(variable) or own.get(f"indexes.{name}") for name, variable in _VARIABLES.items()}
    for name, address in {"default": default_index(environ), **found}.items():
        _refuse_broken(_VARIABLES.get(name, "the package index"), address)
    return Indexes(default_index(environ), found["pytorch"], found["conda"])


def _refuse_broken(name: str, address: str | None) -> None:
    """A login with signs that end one, as they stand: each program would read another host out of it."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - for locks alone

    if not address or not has_login(address):
        return
    try:
        read = urlsplit(address)
        sound = read.hostname == host_of(address) and (read.port is None or read.port >= 0)
    except ValueError:
        sound = False
    if not sound:
        raise InputError(
            f"the address of {name} is broken: {redacted(address)}",
            cause=["its password holds signs that have a meaning in an address"],
            hint="write them as `/` %2F, `#` %23, `?` %3F, `@` %40, `:` %3A",
        )


def default_index(environ: Mapping[str, str] = os.environ) -> str | None:
    """The address that pip or uv is configured with; None where neither is."""
    for variable in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if environ.get(variable):
            return environ[variable]
    return _from_pip(environ) or _from_uv(environ)


def _config_folder(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")


def _from_pip(environ: Mapping[str, str]) -> str | None:
    """pip's configuration files, the most specific first (pip's documentation, "Configuration").

    What pip passes over is passed over; raises InputError for one that is no file to be read.
    """
    home = environ.get("HOME") or os.path.expanduser("~")
    places = (
        environ.get("PIP_CONFIG_FILE"),
        f"{_config_folder(environ)}/pip/pip.conf",
        f"{home}/.pip/pip.conf",
        "/etc/pip.conf",
    )
    for path in places:
        if not path or path == os.devnull:  # by which people say that there is none
            continue
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(read_text(path, _PIP_LIMIT))
            for section in ("install", "global"):
                if found := parser.get(section, "index-url", fallback=None):
                    return found
        except (FileNotFoundError, NotADirectoryError, PermissionError, configparser.Error):
            continue
        except OSError as error:
            raise _unread(path, error) from None
    return None


def _from_uv(environ: Mapping[str, str]) -> str | None:
    """uv's own settings, where they are as uv takes them: what it refuses, it says itself. Raises InputError."""
    settings: dict[str, Any]
    path = os.path.join(_config_folder(environ), "uv", "uv.toml")
    try:
        settings = read_toml(read_bytes(path, _LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unread(path, error) from None
    except TomlError:
        return None
    listed = settings.get("index")
    for index in listed if isinstance(listed, list) else ():
        if isinstance(index, dict) and index.get("default") and isinstance(index.get("url"), str):
            return str(index["url"])
    found = settings.get("index-url")
    return found if isinstance(found, str) else None


def _unread(path: str, error: OSError) -> InputError:
    return InputError(f"cannot read `{path}`: {error.strerror or error}")
