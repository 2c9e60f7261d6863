"""The fields of `GET /v0/pipelines/{name}` beyond the list's: the description, and why a program does not compile."""

from collections.abc import Iterator

import msgspec


class _SqlMessage(msgspec.Struct, frozen=True, gc=False):
    message: str = ""
    error_type: str = ""
    warning: bool = False
    start_line_number: int = 0
    start_column: int = 0
    snippet: str | None = None


class _SqlCompilation(msgspec.Struct, frozen=True, gc=False):
    messages: tuple[_SqlMessage, ...] = ()


class _RustCompilation(msgspec.Struct, frozen=True, gc=False):
    exit_code: int = 0
    stderr: str = ""


class _ProgramError(msgspec.Struct, frozen=True, gc=False):
    system_error: str | None = None
    sql_compilation: _SqlCompilation | None = None
    rust_compilation: _RustCompilation | None = None


class ProgramDetails(msgspec.Struct, frozen=True, gc=False):
    """The fields that a pipeline's page shows; `program_error` is only in answers with `selector=all`."""

    description: str = ""
    program_error: _ProgramError | None = None

    @property
    def errors(self) -> str:
        """The errors of the compilers; empty if there is none."""
        return "\n\n".join(_errors(self.program_error)) if self.program_error is not None else ""


def _errors(error: _ProgramError) -> Iterator[str]:
    if error.system_error:
        yield error.system_error
    if error.sql_compilation is not None:
        for each in error.sql_compilation.messages:
            if not each.warning:
                position = f"SQL line {each.start_line_number}, column {each.start_column}"
                text = f"{position}: {each.error_type}: {each.message}"
                yield f"{text}\n{each.snippet.rstrip()}" if each.snippet else text
    if error.rust_compilation is not None and error.rust_compilation.exit_code:
        yield error.rust_compilation.stderr
