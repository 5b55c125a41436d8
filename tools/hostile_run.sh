#!/usr/bin/env bash
# The tests whose result may depend on the machine, run as on a machine of another kind (`make test-elsewhere`): from a
# clone in a folder of mode 0700, with an empty HOME, umask 077, only the bundled font and Droid Fallback, a decimal
# comma, another time zone, and arithmetic held to AVX2. $1: the folder of programs with the test requirements.
# HEAD is what is tested: commit first. More arguments go to pytest in place of the paths below.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
bin=$1
shift

# Rooms that touch what differs: arithmetic (runtimes, detect, inference, checkpoints), layouts and fonts (desktop),
# modes and users (storage, export, review, settings), words and numbers (cli, render, i18n), times (batch, evaluate).
# The api, the hub and image decoding depend on none of it beyond what these cover.
paths=(
  tests/engine/cli tests/engine/detect tests/engine/export tests/engine/render tests/engine/review
  tests/engine/runtimes tests/engine/storage tests/engine/models/onnx tests/engine/models/checkpoint
  tests/engine/test_answer.py tests/engine/test_engine.py tests/engine/test_settings.py
  tests/desktop/export tests/desktop/keys tests/desktop/results tests/desktop/settings tests/desktop/state
  tests/desktop/style tests/desktop/window tests/desktop/server/test_panel.py
)
(($#)) && paths=("$@")

root_install() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 0
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null ||
    { apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null; } ||
    echo "not installed: $*" >&2
}

droid=/usr/share/fonts/truetype/droid
[[ -d $droid ]] || root_install fonts-droid-fallback
if ! locale -a | grep -qi '^de_DE.utf-\?8$'; then
  root_install locales
  localedef -i de_DE -f UTF-8 de_DE.UTF-8 || echo "no locale de_DE.UTF-8: run with that of this machine" >&2
fi

umask 077
closed=$(mktemp -d)
trap 'rm -rf "$closed"' EXIT
mkdir "$closed/home" "$closed/fonts"
git clone -q "$project" "$closed/detrdesk"
if [[ -d $project/../shared ]]; then ln -s "$(cd "$project/../shared" && pwd)" "$closed/shared"; fi
cat >"$closed/fonts.conf" <<END
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$closed/detrdesk/resources/fonts</dir><dir>$droid</dir><cachedir>$closed/fonts</cachedir>
</fontconfig>
END

cd "$closed/detrdesk"
# OpenVINO wants both of its variables, the same: its kernels read the first and its oneDNN the second.
env -i PATH="$PATH" HOME="$closed/home" TMPDIR="$closed" PYTHONPATH="$closed/detrdesk" \
  LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu FONTCONFIG_FILE="$closed/fonts.conf" \
  OV_CPU_MAX_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 \
  "$bin/python" -m pytest -m "not soak and not alone and not xvfb" --numprocesses "${PROCESSES-auto}" --maxprocesses 4 \
  --dist loadfile "${paths[@]}"
