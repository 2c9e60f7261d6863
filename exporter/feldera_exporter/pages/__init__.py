"""The pages that people look at: views as frozen values, and the templates that lay them out."""
