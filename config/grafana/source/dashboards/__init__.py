"""The source of the dashboards `config/grafana/dashboards/*.json`: panels as values, and their PromQL."""
