"""The dashboards' source: the panels as values, their PromQL, and what writes `config/grafana/dashboards/*.json`."""
