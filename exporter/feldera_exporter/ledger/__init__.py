"""The counters of one instance: its pipelines' histories, whose event logs must be read, and what is exported."""

from feldera_exporter.ledger.ledger import BUDGET, Ledger

__all__ = ["BUDGET", "Ledger"]
