"""Refusals of the command line itself."""

from farthing.core.base.refusal import refusal_kind

ARGUMENTS_INVALID = refusal_kind(
    "arguments_invalid",
    "The command line names an option, argument or command that there is not, lacks one, or gives one a value that it cannot have.",
    "See the command's --help for what it takes.",
)
INTERNAL_ERROR = refusal_kind(
    "internal_error",
    "Something failed that has no name here, which is a mistake in Farthing.",
    "Changes are written whole or not at all, so the same command may be run again. If it fails again, run it with FARTHING_DEBUG=1 "
    "and report what it prints.",
)
TIME_IN_FUTURE = refusal_kind(
    "time_in_future",
    "Bills are to be made up to a time that has not come yet: they would become final without the usage that is still to come.",
    "Send a time up to now, or leave it out. If the future is meant, repeat the command with --ahead.",
)
INTERRUPTED = refusal_kind(
    "interrupted",
    "Ctrl-C or a signal ended the command before it was done; the exit code is 128 and the signal's number.",
    "What was finished is kept. Run the same command again: it does the rest, and nothing counts twice.",
)
STREAM_CLOSED = refusal_kind(
    "stream_closed",
    "Standard input or output is closed, so that there is nothing to read, or nowhere to write to.",
    "Redirect it from or to a file, a pipe or /dev/null.",
)
