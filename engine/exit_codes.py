"""What the commands end with."""

DONE, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
