"""The YAML of the tests' own tables: large, and read by every worker."""

from typing import Any

import yaml

# libyaml where PyYAML was built with it: a tenth of the time.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def quick_yaml(text: str) -> Any:
    """As `yaml.safe_load` reads it."""
    return yaml.load(text, Loader=_LOADER)
