"""The exceptions of the exporter.

* ExporterError: the base of all; its text is one line for the user, without secrets
  * ConfigError: the configuration or a flag is wrong; its text lists all mistakes, one a line
  * StoreError: the store cannot be written or read
  * ListenError: the exporter cannot listen on an address
  * FelderaError: Feldera did not answer as expected; see `feldera_exporter.feldera.errors`
"""


class ExporterError(Exception):
    """The base of every error that the exporter raises on purpose."""


class ConfigError(ExporterError):
    """The configuration is wrong.

    Args:
        mistakes: one line each, with the key's path, what was found and what was expected.
    """

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class StoreError(ExporterError):
    """The store, which keeps counters across restarts, cannot be written or read."""


class ListenError(ExporterError):
    """The exporter cannot listen on an address."""
