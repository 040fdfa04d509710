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

current() { echo "$1 $(cat "requirements/$1.txt" pyproject.toml | cksum | tr ' ' '-')"; }

works() { [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null; }

has() { works && grep -qsx "$(current "$1")" "$stamp"; }

has_other() { [ -f "$stamp" ] && grep -qvx -e "$(current run)" -e "$(current dev)" "$stamp"; }

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

# Reads what pip says and prints a line for each package that it fetches.
progress() {
    done=0
    while read -r word rest; do
        case $word in
            Collecting) done=$((done + 1)) && echo "  [$done/$1] ${rest%% *}" ;;
            Installing) echo "  unpacking" ;;
        esac
    done
}

install_lock() {
    packages=$(grep -c '^[a-z].*==' "requirements/$1.txt")
    echo "installing what requirements/$1.txt pins"
    failed=.venv/.failed
    rm -f "$failed"
    { .venv/bin/python -m pip install --progress-bar off --require-hashes -r "requirements/$1.txt" || touch "$failed"; } | progress "$packages"
    if [ -e "$failed" ]; then
        echo "Installing failed; pip's message stands above. Nothing is half done: the same command starts over." >&2
        exit 1
    fi
}

if ! has_other && { has dev || { [ "$want" = run ] && has run; }; }; then
    exit 0
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONUNBUFFERED=1
if has_other || ! has run; then
    python=$(find_python)
    echo "making .venv with $("$python" --version)"
    rm -f "$stamp"
    "$python" -m venv --clear .venv
fi
install_lock "$want"
echo "installing farthing"
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
current "$want" >>"$stamp"
