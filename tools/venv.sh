#!/bin/sh
# Usage: tools/venv.sh run|dev
#
# Makes .venv hold exactly what requirements/run.txt (to use Farthing) or requirements/dev.txt (to work on it) pins, and the
# package itself, editable. Does nothing when that is so already; starts from nothing when a lock or pyproject.toml changed.
# Needs Python >= 3.11 with venv; PYTHON names another interpreter than the first that fits.
set -eu
cd "$(dirname "$0")/.."
want=$1
stamp=.venv/.installed # one line for each lock installed: its name and the checksum of what it was installed from

checksum() { cat "requirements/$1.txt" pyproject.toml | cksum | tr ' ' '-'; }

has() { [ -x .venv/bin/python ] && grep -qsx "$1 $(checksum "$1")" "$stamp" && .venv/bin/python -c '' 2>/dev/null; }

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 python}; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Farthing needs Python 3.11 or newer with its venv module, and found none (tried: ${PYTHON:-python3, python3.11 to python3.14, python})." >&2
    echo "Install it (on Debian: apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3" >&2
    exit 1
}

if has dev || { [ "$want" = run ] && has run; }; then
    exit 0
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
if ! has run; then
    python=$(find_python)
    echo "making .venv with $("$python" --version)"
    rm -f "$stamp"
    "$python" -m venv --clear .venv
fi
echo "installing the $(grep -c '^[a-z].*==' "requirements/$want.txt") packages of requirements/$want.txt"
.venv/bin/python -m pip install --quiet --progress-bar on --require-hashes -r "requirements/$want.txt"
echo "installing farthing"
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
echo "$want $(checksum "$want")" >>"$stamp"
