"""The files that the exporter ships beside its code: rules, and configurations of Prometheus and Alertmanager."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
_FOLDERS: Final = (_HERE, _HERE.parents[2])
"""Where the wheel keeps them; else the source tree, which an editable install points into."""


def shipped(name: str) -> Path:
    """Return where a file is, by its path in the source tree: `config/prometheus.yml`.

    Raises:
        FileNotFoundError: it is in neither folder; the installation is damaged.
    """
    found = next((folder / name for folder in _FOLDERS if (folder / name).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{name}: found in none of {', '.join(map(str, _FOLDERS))}")
    return found
