"""The checks of `feldera-exporter check`: of a configuration, its instances and its Alertmanagers."""
