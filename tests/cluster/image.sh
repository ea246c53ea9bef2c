#!/usr/bin/env bash
# The image of envs/Dockerfile where no registry of images is in reach: built by buildah on a base that Debian's
# debootstrap makes, under the name that the Dockerfile asks for.
#
#   image.sh build FOLDER            installs buildah and debootstrap; base, layers and logs lie in FOLDER
#   image.sh run FOLDER STUDY ...    a command in the image, as a user who has a number and no name; STUDY is /study
#   image.sh remove FOLDER           takes the layers away
#
# Wants root on Debian, 20 GB, and the registries that the Dockerfile asks.
set -euo pipefail

base=docker.io/library/python:3.11-slim-bookworm
name=localhost/filterscope:test
user=12345:12345

build_with() {
    buildah --root "$folder/layers" --runroot "$folder/running" --storage-driver "${STORAGE_DRIVER:-overlay}" "$@"
}

install_packages() {
    command -v buildah > /dev/null && command -v debootstrap > /dev/null && command -v crun > /dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends \
        buildah debootstrap crun; } > "$folder/apt.log" 2>&1 || { tail -5 "$folder/apt.log" >&2; exit 3; }
}

# Debian's own Python instead of the one that docker's library compiles: the same minor version.
make_base() {
    build_with inspect --type image $base > /dev/null 2>&1 && return
    local mirror container
    mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -1)
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python-is-python3 \
        bookworm "$folder/base" "$mirror" > "$folder/base.log" 2>&1
    rm --force "$folder"/base/usr/lib/python3*/EXTERNALLY-MANAGED "$folder"/base/var/cache/apt/archives/*.deb
    cp /etc/apt/sources.list.d/*.sources "$folder/base/etc/apt/sources.list.d/" 2> /dev/null || true
    container=$(build_with from scratch)
    build_with copy "$container" "$folder/base" / > /dev/null
    build_with commit "$container" $base > /dev/null 2>&1
    build_with rm "$container" > /dev/null
    rm --recursive --force "$folder/base"
}

# How this machine reaches its registries: certificates, pip's settings, and folders of wheels.
settings=()
for path in /etc/ssl/certs /etc/pip.conf /root/.config/pip /opt/wheels /opt/pypi /opt/pypi-more; do
    [[ -e $path ]] && settings+=(--volume "$path:$path:ro")
done

action=$1 folder=$(realpath "$2")
mkdir -p "$folder"
case $action in
    build)
        install_packages
        make_base
        cd "$(dirname "$0")/../.."
        build_with build --isolation chroot --pull-never "${settings[@]}" ${SSL_CERT_FILE:+--env SSL_CERT_FILE} \
            --file envs/Dockerfile --tag $name . > "$folder/build.log" 2>&1 || { tail -20 "$folder/build.log" >&2; exit 1; }
        ;;
    run)
        study=$(realpath "$3")
        container=$(build_with from --pull-never $name)
        chown --recursive $user "$study"
        code=0
        build_with run --isolation chroot --user $user --volume "$study:/study" "$container" -- "${@:4}" || code=$?
        build_with rm "$container" > /dev/null
        exit $code
        ;;
    remove)
        build_with rm --all > /dev/null
        build_with rmi --all --force > /dev/null
        ;;
esac
