"""The commands, one module each: `HELP`, `configure(parser)` and `main(arguments) -> exit code`."""
