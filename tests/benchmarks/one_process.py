"""Peak memory of one image: `python -m tests.benchmarks.one_process MODEL IMAGE` prints MB."""

import sys

from engine import Engine
from tests.benchmarks.peak import peak_memory

model, image = sys.argv[1:]
engine = Engine()
found = engine.detect(image, model).above(0.5)
print(peak_memory())
