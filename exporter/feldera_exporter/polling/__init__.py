"""Polls an instance: its pipelines, their event logs, and what it reports about itself."""
