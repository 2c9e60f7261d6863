"""The ledger of one instance: its pipelines' histories, whose log must be read, and what may be shown of it yet."""

from feldera_exporter.ledger.ledger import BUDGET, Ledger

__all__ = ["BUDGET", "Ledger"]
