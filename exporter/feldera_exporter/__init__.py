"""Prometheus exporter for the statuses of Feldera pipelines."""

__version__ = "0.1.0"
