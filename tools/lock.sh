#!/bin/sh
# Usage: tools/lock.sh [uv pip compile options, such as --upgrade]
#
# Writes requirements/run.txt and requirements/dev.txt from pyproject.toml: every package, for every platform, with its hashes.
# uv does the resolving, from an environment of its own that is thrown away. Versions already pinned stay unless --upgrade says so.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9

compile() {
    out=$1
    shift
    "$scratch/venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --annotation-style line --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "make lock" --cache-dir "$scratch/cache" --output-file "requirements/$out" "$@"
}

compile run.txt pyproject.toml --extra build "$@"
compile dev.txt pyproject.toml --extra build --extra dev --constraint requirements/run.txt "$@"
