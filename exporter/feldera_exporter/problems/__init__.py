"""The problems: what is wrong with a pipeline or an instance, decided once, for metrics, pages, rules and alerts alike."""
