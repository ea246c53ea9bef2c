#!/usr/bin/env bash
# The image of envs/Dockerfile where no registry of images is in reach: built by buildah on a base that Debian's
# debootstrap makes, under the name that the Dockerfile asks for.
#
#   image.sh build FOLDER            installs buildah and debootstrap; base, layers and logs lie in FOLDER
#   image.sh run FOLDER STUDY ...    a command in the image, as a user who has a number and no name; STUDY is /study
#   image.sh remove FOLDER           takes the layers away
#
# Wants root on Debian, 30 GB, and the registries that the Dockerfile asks, reached as this machine's pip reaches them.
# Exit status 2: not here. STORAGE_DRIVER=vfs where there is no overlay file system.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

base=docker.io/library/python:3.11-slim-bookworm
name=localhost/filterscope:test
user=12345:12345

in_store() {
    buildah --root "$folder/layers" --runroot "$folder/running" --storage-driver "${STORAGE_DRIVER:-overlay}" "$@"
}

# Debian's own Python instead of the one that docker's library compiles: the same minor version.
make_base() {
    in_store inspect --type image $base > /dev/null 2>&1 && return
    local mirror container
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Release: bookworm' | sed -n 1p)
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python-is-python3 \
        bookworm "$folder/base" "$mirror" > "$folder/base.log" 2>&1 || { tail -5 "$folder/base.log" >&2; exit 1; }
    rm --force "$folder"/base/usr/lib/python3*/EXTERNALLY-MANAGED "$folder"/base/var/cache/apt/archives/*.deb
    container=$(in_store from scratch)
    in_store copy "$container" "$folder/base" / > /dev/null
    in_store commit "$container" $base > /dev/null 2>&1
    in_store rm "$container" > /dev/null
    rm --recursive --force "$folder/base"
}

# How this machine's pip reaches its registry, for the build alone: settings, and what lies on a disk that they name.
find_settings() {
    local path
    { echo "[global]"; python3 -m pip config list | tr -d "'" | sed -E 's/^[^.]*\.//' | sort -u -t = -k 1,1; } \
        > "$folder/pip.conf"
    echo "system-certs = true" > "$folder/uv.toml" # else uv trusts its own list, not this machine's
    mounted=(--volume "$folder/pip.conf:/etc/pip.conf:ro" --volume "$folder/uv.toml:/etc/uv/uv.toml:ro")
    for path in /etc/ssl/certs $(grep -oE '(^|[= ]|file://)/[^ ]+' "$folder/pip.conf" | sed -E 's#^(=| |file://)*##'); do
        [[ -e $path && $path != /etc/ssl/certs/* ]] && mounted+=(--volume "$path:$path:ro")
    done
    return 0
}

build() {
    install_packages buildah debootstrap crun
    make_base
    find_settings
    cd "$(dirname "$0")/../.."
    in_store build --isolation chroot --pull-never "${mounted[@]}" --file envs/Dockerfile --tag $name . \
        > "$folder/build.log" 2>&1 || { tail -20 "$folder/build.log" >&2; exit 1; }
    in_store images $name
}

run() {
    local study container code=0
    study=$(realpath "$1")
    container=$(in_store from --pull-never $name)
    chown --recursive $user "$study"
    in_store run --isolation chroot --user $user --volume "$study:/study" "$container" -- "${@:2}" || code=$?
    in_store rm "$container" > /dev/null
    exit $code
}

remove() {
    in_store rm --all > /dev/null
    in_store rmi --all --force > /dev/null
}

action=${1:?build, run or remove}
on_debian_as_root "images"
mkdir -p "${2:?a folder for base, layers and logs}"
folder=$(realpath "$2")
shift 2
"$action" "$@"
