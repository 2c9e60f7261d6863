"""The exceptions of the exporter.

* ExporterError: the base of all; its text is one line, fit for a user, free of secrets
  * ConfigError: the configuration or a flag is wrong; every mistake found is in it
  * StoreError: what the exporter must remember cannot be kept or read
  * ListenError: an address cannot be listened on
  * FelderaError: Feldera did not answer as it should; see `feldera_exporter.feldera.errors`
"""


class ExporterError(Exception):
    """Base of every error that the exporter raises on purpose."""


class ConfigError(ExporterError):
    """The configuration is wrong: one line per mistake, each naming place, finding and expectation."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class StoreError(ExporterError):
    """What the exporter must remember across restarts cannot be kept or read."""


class ListenError(ExporterError):
    """An address cannot be listened on."""
