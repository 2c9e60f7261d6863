"""What the tests share: the programs that they drive, and how thorough a run is."""

import os
import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

THOROUGH: Final = bool(os.environ.get("THOROUGH"))
"""Whether there is time for more seeds and more days of the same tests, as in CI: `THOROUGH=1 make test`."""


def part(whole: int) -> int:
    """Return how many of so many examples a run tries: a fifth where it is not thorough."""
    return whole if THOROUGH else max(whole // 5, 1)


def tool(name: str) -> str:
    """Return the path of a program: from FELDERA_EXPORTER_TOOLS, else the downloaded packages, else PATH.

    Raises:
        FileNotFoundError: if it is nowhere. A missing program fails a test, it never skips one.
    """
    places = [ROOT / ".cache/debian/usr/bin"]
    if named := os.environ.get("FELDERA_EXPORTER_TOOLS"):
        places.insert(0, Path(named))
    found = shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))
    if found is None:
        raise FileNotFoundError(
            f"{name}: neither in {', '.join(map(str, places))} nor on PATH; run .ci/debian"
        )
    return found
