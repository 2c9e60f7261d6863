"""The flags of what the stand-in of Feldera plays, which `demo` and `simulate` share."""

import argparse
from typing import Final

from feldera_exporter.demo.settings import Settings

_STAGE: Final = Settings()


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add the flags of what the stand-in of Feldera plays."""
    parser.add_argument(
        "--seed",
        type=int,
        default=_STAGE.seed,
        metavar="NUMBER",
        help="of all that happens by chance (default: %(default)s)",
    )
    parser.add_argument(
        "--pipelines",
        type=_count,
        default=_STAGE.pipelines,
        metavar="NUMBER",
        help="how many pipelines live by chance, beside those with a story (default: %(default)s)",
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of pipelines, 0 or more")
    return int(text)
