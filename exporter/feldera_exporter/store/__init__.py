"""The store: the counters and problems of each instance, in SQLite, so that they survive a restart."""
