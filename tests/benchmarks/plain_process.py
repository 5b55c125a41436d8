"""Peak memory of the plain script: `python -m tests.benchmarks.plain_process MODEL IMAGE` prints MB."""

import runpy
import sys
from pathlib import Path

from tests.benchmarks.peak import peak_memory

sys.stdout = sys.stderr
runpy.run_path(str(Path(__file__).with_name("plain_script.py")))
print(peak_memory(), file=sys.__stdout__)
