#!/usr/bin/env bash
# Pins what pyproject.toml allows: requirements.lock (everything, for tests and clusters too),
# envs/filterscope.yaml (what a job needs) and envs/clip.yaml (what one with a model of open_clip needs).
# Usage: envs/pin.sh UV [--upgrade]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
uv="$1"
shift

resolve=("$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --fork-strategy fewest
    --no-header --no-annotate)
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# uv prefers the versions that its output file already holds, unless told to upgrade.
grep -v '^#' requirements.lock >"$work/all" || true
"${resolve[@]}" --all-extras --output-file "$work/all" "$@" >/dev/null
"${resolve[@]}" --constraint "$work/all" --output-file "$work/jobs" >/dev/null
"${resolve[@]}" --constraint "$work/all" --extra clip --output-file "$work/clip" >/dev/null

# environment NAME PINS PURPOSE
environment() {
    echo "# What $3, for --sdm conda. Made by: make lock"
    echo "name: $1"
    echo "channels:"
    echo "  - conda-forge"
    echo "  - nodefaults"
    echo "dependencies:"
    echo "  - python=3.11"
    echo "  - pip"
    echo "  - pip:"
    sed 's/^/      - /' "$2"
}

{
    echo "# Everything that Filterscope runs, tests and submits jobs with. Made by: make lock"
    cat "$work/all"
} >"$work/lock"
environment filterscope "$work/jobs" "a job of the workflow needs" >"$work/conda"
environment filterscope-clip "$work/clip" "a job with a model of open_clip needs" >"$work/conda-clip"
install -m 644 "$work/lock" requirements.lock
install -m 644 "$work/conda" envs/filterscope.yaml
install -m 644 "$work/conda-clip" envs/clip.yaml
