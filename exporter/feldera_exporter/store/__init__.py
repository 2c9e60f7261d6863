"""The store: the counters, problems and pipeline names of each instance, in SQLite, so that they survive a restart."""
