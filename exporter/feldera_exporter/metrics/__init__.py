"""The metric families: tables of names, types, help and pure readers."""
