#!/usr/bin/env sh
# Sees to it that the tests of the atlas find a browser: installs Debian's Chromium where this is root and none is there.
# Without one these tests are skipped, so this script never fails; it says why.
[ -n "$FILTERSCOPE_CHROMIUM" ] && exit 0
found() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do # as in conftest.py
        command -v "$name" > /dev/null 2>&1 && return 0
    done
    return 1
}
install() { apt-get -o DPkg::Lock::Timeout=300 install --yes --quiet chromium > /dev/null 2>&1; }
found && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null 2>&1; then
    echo "Installing Chromium, for the tests that open the atlas in a browser"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    install || { apt-get update --quiet > /dev/null 2>&1 && install; }
    found && exit 0
    echo "Chromium could not be installed (apt-get install chromium):" >&2
else
    echo "There is no Chromium, and only root on Debian can install it here:" >&2
fi
echo "the tests that open the atlas in a browser are skipped; FILTERSCOPE_CHROMIUM names a Chromium that is elsewhere" >&2
exit 0
