"""One image in a process of its own: `python -m tests.benchmarks.one_process MODEL IMAGE`, its peak of memory out."""

import sys

from engine import Engine
from tests.benchmarks.peak import peak_memory

model, image = sys.argv[1:]
engine = Engine()
found = engine.detect(image, model).above(0.5)
print(peak_memory())
