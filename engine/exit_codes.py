"""What the commands end with."""

DONE, SOME_FAILED, USAGE = 0, 1, 2
