# What the scripts of this folder that install packages of Debian share; wants root, and $folder for apt's log.

lacking() {
    local package
    for package in "$@"; do
        dpkg-query --show --showformat='${Status}\n' "$package" 2> /dev/null | grep -q ' installed$' || echo "$package"
    done
}

on_debian_as_root() {
    [[ $EUID -eq 0 ]] || { echo "$1 want root" >&2; exit 2; }
    command -v apt-get > /dev/null || { echo "this is not Debian: there is no apt-get" >&2; exit 2; }
}

install_packages() {
    local packages
    packages=$(lacking "$@")
    [[ -z $packages ]] && return
    # Packages would start daemons of their own: refused while they are installed, where nobody has decided yet.
    local refusal=/usr/sbin/policy-rc.d ours=
    [[ -e $refusal ]] || { printf '#!/bin/sh\nexit 101\n' > $refusal; chmod 755 $refusal; ours=1; }
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words
    { apt-get update && apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends $packages; } \
        > "$folder/apt.log" 2>&1 || { [[ $ours ]] && rm -f $refusal; tail -5 "$folder/apt.log" >&2; exit 3; }
    [[ $ours ]] && rm -f $refusal
    return 0
}
