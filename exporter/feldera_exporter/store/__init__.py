"""What survives a restart: histories, totals and how far each instance was read."""
