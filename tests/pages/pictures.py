"""Takes the pictures of the documentation: `PYTHONPATH=tests python -m pages.pictures docs`."""

import sys
import tempfile
from pathlib import Path

from pages.browser import browser
from pages.demo_program import demo

WIDTH, HEIGHT = 1280, 900


def main(target: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as url, browser(Path(name)) as tab:
        tab.looks(WIDTH, HEIGHT, dark=False)
        tab.open(f"{url}/")
        tab.picture(target / "fleet.png")
        # As the person on call sees it at night.
        tab.looks(WIDTH, HEIGHT, dark=True)
        tab.open(f"{url}/pipelines/default/fraud-scores")
        tab.picture(target / "pipeline.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
