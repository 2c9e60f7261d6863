"""The alert rules: one table of alerts and recordings, and its renderings for Prometheus, its operator and people."""
