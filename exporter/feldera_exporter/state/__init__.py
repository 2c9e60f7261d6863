"""The state of an instance: its pipelines, what is known of each, and how it moves from poll to poll."""
