"""The exceptions of the exporter; those about Feldera's answers are in `feldera_exporter.feldera.errors`."""


class ExporterError(Exception):
    """The base of every error that the exporter raises on purpose; its text is for the user, without secrets."""


class ConfigError(ExporterError):
    """The configuration or a flag is wrong.

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
