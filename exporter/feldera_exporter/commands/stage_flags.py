"""The flags of the stand-in, which `demo` and `simulate` share."""

import argparse
from typing import Final

from feldera_exporter.demo.settings import Settings

_STAGE: Final = Settings()


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the stand-in."""
    parser.add_argument(
        "--seed",
        type=int,
        default=_STAGE.seed,
        metavar="NUMBER",
        help="the seed of the random events (default: %(default)s)",
    )
    parser.add_argument(
        "--pipelines",
        type=_count,
        default=_STAGE.pipelines,
        metavar="NUMBER",
        help="the number of pipelines with random events, besides those with scripted ones (default: %(default)s)",
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of pipelines, 0 or more")
    return int(text)
