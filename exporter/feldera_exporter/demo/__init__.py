"""The demonstration: a stand-in of Feldera, the exporter on it, Prometheus and Alertmanager where installed."""
