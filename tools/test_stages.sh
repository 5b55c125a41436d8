#!/usr/bin/env bash
# Every stage of `make test`: goes on after a failure, ends with a summary, fails if a stage failed. $1: the folder of programs.
cd "$(dirname "$0")/.."
bin=$1 failed=()

stage() {
  local name=$1 started=$SECONDS
  shift
  echo "== $name: $*"
  if "$@"; then echo "== $name passed, $((SECONDS - started)) s"; else failed+=("$name"); echo "== $name FAILED, $((SECONDS - started)) s"; fi
}

stage lint "$bin/ruff" check .
stage format "$bin/ruff" format --check .
stage types "$bin/mypy"
stage imports "$bin/lint-imports"
stage dependencies "$bin/deptry" .
stage tests "$bin/pytest" -m "not soak and not alone and not xvfb" --numprocesses auto --maxprocesses 4 --dist loadfile
stage tests-alone "$bin/pytest" -m "not soak and (alone or xvfb)"

if ((${#failed[@]})); then
  echo "make test: ${#failed[@]} of 7 stages failed: ${failed[*]}" >&2
  exit 1
fi
echo "make test: all 7 stages passed"
