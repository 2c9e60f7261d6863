"""The alert rules for Prometheus, as a rule file and as a PrometheusRule of its operator."""
