"""The alert rules for Prometheus, as a rule file, as a PrometheusRule of its operator, and as documentation."""
