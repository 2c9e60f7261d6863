"""The commands, one module each: `configure(parser)` and `main(arguments) -> exit code`; imported only when called."""
