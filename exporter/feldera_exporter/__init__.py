"""Prometheus exporter and alerting bridge for the statuses of Feldera pipelines."""

__version__ = "0.1.0"
