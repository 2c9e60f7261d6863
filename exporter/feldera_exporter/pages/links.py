"""Addresses of the exporter's pages, which may be behind a proxy, and of Feldera's web console."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of the exporter's pages.

    Attributes:
        prefix: the prefix of every path for browsers: empty, or `/behind/a/proxy`.
        metrics: the path of the metrics.
    """

    prefix: str = ""
    metrics: str = "/metrics"

    def to(self, path: str) -> str:
        """Return the address of a path."""
        return self.prefix + path

    def pipeline(self, instance: str, name: str) -> str:
        """Return the address of a pipeline's page."""
        return self.to(f"/pipelines/{_part(instance)}/{_part(name)}")

    def runbook_of(self, alert: str, instance: str = "", name: str = "") -> str:
        """Return the address of an alert's runbook with the values of an instance or a pipeline."""
        values = {key: value for key, value in (("name", name), ("instance", instance)) if value}
        query = f"?{urlencode(values, errors='replace')}" if values else ""
        return self.to(f"/runbooks/{alert}{query}")


def console(url: str, name: str = "") -> str:
    """Return the address of Feldera's web console, or of a pipeline in it; empty where that cannot be a link."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return f"{base}/pipelines/{_part(name)}/" if name else f"{base}/"


def _part(text: str) -> str:
    return quote(text, safe="", errors="replace")
