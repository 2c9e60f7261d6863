"""Addresses: of the exporter's own pages, which may lie behind a proxy, and of Feldera's web console."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Links:
    """Where the exporter's pages are.

    Attributes:
        prefix: what every path of them begins with, as browsers ask for it: empty, or `/behind/a/proxy`.
        metrics: the path of the metrics.
        runbook: whether there is a runbook for an alert.
    """

    prefix: str = ""
    metrics: str = "/metrics"
    runbook: Callable[[str], bool] = lambda _: False

    def to(self, path: str) -> str:
        """Return the address of a path."""
        return self.prefix + path

    def pipeline(self, instance: str, name: str, id_: str) -> str:
        """Return the address of a pipeline's page.

        A browser would leave a part of dots out, and an empty one says nothing: such a pipeline goes by its id.
        """
        told = id_ if name.strip(".") == "" else name
        return self.to(f"/pipelines/{_part(instance)}/{_part(told)}")

    def runbook_of(self, alert: str, instance: str = "", name: str = "") -> str:
        """Return the address of an alert's runbook, empty if there is none.

        Args:
            alert: the alert's name.
            instance: the instance whose values the runbook should have filled in.
            name: the pipeline's name, likewise.
        """
        if not self.runbook(alert):
            return ""
        values = {key: value for key, value in (("name", name), ("instance", instance)) if value}
        query = f"?{urlencode(values, errors='replace')}" if values else ""
        return self.to(f"/runbooks/{alert}{query}")


def console(url: str, name: str = "") -> str:
    """Return the address of Feldera's web console, or of one pipeline in it; empty where it is none that one may follow."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return f"{base}/pipelines/{_part(name)}/" if name else f"{base}/"


def _part(text: str) -> str:
    return quote(text, safe="", errors="replace")
