"""The bridge: the exporter sends its problems to Alertmanager itself. State, not events: each send says what is the case."""
