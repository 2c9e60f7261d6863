"""The pages for people: views as frozen values, and their templates."""
