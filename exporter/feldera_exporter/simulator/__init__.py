"""A simulated Feldera instance: its statuses, its event log and its HTTP API, on a clock that the caller controls."""
