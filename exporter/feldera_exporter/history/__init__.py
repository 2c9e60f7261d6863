"""What happened to the pipelines: a pure fold of Feldera's event log into exact counts, times and errors."""
