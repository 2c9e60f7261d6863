"""The metric families: tables of names, types, HELP texts, labels and the functions that read the samples."""
