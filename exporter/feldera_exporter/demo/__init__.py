"""The demo: a simulated Feldera, the exporter, and Prometheus and Alertmanager if they are installed."""
