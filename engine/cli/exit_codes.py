"""What the commands end with."""

DONE, SOME_FAILED, USAGE, INTERRUPTED, NOBODY_READS = 0, 1, 2, 130, 141
