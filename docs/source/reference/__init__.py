"""Generates the pages of the documentation that list rows of tables: metrics, configuration keys and alerts."""
