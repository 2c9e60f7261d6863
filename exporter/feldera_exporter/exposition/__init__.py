"""The exposition formats: rendering, caching and compressing the text that Prometheus scrapes."""
