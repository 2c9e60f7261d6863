"""The state of an instance: its pipelines, their limits and tag labels, and how each poll changes it."""
