"""What `check` finds out: about a configuration, and about the instances that it names."""
