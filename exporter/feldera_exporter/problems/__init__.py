"""The problems of pipelines and instances. They are evaluated in one place; metrics, pages, rules and alerts show the result."""
