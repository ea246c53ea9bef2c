#!/usr/bin/env bash
# A real Kubernetes API, its scheduler and its controllers, compiled of what Debian has: the source of Kubernetes 1.20.
#
#   kubernetes_server.sh FOLDER    leaves etcd, kubectl, kube-apiserver, kube-scheduler and kube-controller-manager there
#
# Wants root on Debian 12, 4 GB, and some minutes of two cores. Debian has compiled only the client, since nobody keeps
# the rest; the source's own copy of reflect2 is older than Debian's Go and makes the server fall over, so Debian's takes
# its place. Exit status 2: not here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

SERVERS=(kube-apiserver kube-scheduler kube-controller-manager)

# Debian's sources, known to nobody but this script.
fetch() {
    mkdir -p "$folder/apt/parts" "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
    sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources > "$folder/apt/parts/source.sources"
    local apt=(apt-get --quiet -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$folder/apt/parts"
        -o "Dir::State::lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache" -o "APT::Sandbox::User=root")
    cd "$folder"
    "${apt[@]}" update
    "${apt[@]}" source --download-only kubernetes
    rm -rf tree
    dpkg-source --no-check -x kubernetes_*.dsc tree
    # Without installing them: a package would begin a daemon.
    apt-get --quiet -o "APT::Sandbox::User=root" download etcd-server kubernetes-client golang-github-modern-go-reflect2-dev
    local package
    for package in ./*.deb; do dpkg -x "$package" packages; done
    rm -rf tree/vendor/github.com/modern-go/reflect2
    cp -r packages/usr/share/gocode/src/github.com/modern-go/reflect2 tree/vendor/github.com/modern-go/reflect2
}

# Packages, of those below the folders, whose types the API describes.
described() { grep -rl '+k8s:openapi-gen=' --include='*.go' --exclude='*_test.go' "$@" | xargs -n1 dirname | sort -u; }

# Debian's source lacks what `make generated_files` writes of the types: here the folder, and the packages described.
describe() {
    bin/openapi-gen --logtostderr --input-dirs "$(printf 'k8s.io/kubernetes/%s,' "${@:2}" | sed 's/,$//')" \
        --output-package "k8s.io/kubernetes/$1" --output-file-base zz_generated.openapi --report-filename /dev/null \
        --go-header-file vendor/k8s.io/code-generator/hack/boilerplate.go.txt
}

compile() {
    cd "$folder/tree"
    mkdir -p .go/src/k8s.io bin
    ln -sfn "$PWD" .go/src/k8s.io/kubernetes
    export GOPATH="$PWD/.go" GO111MODULE=off CGO_ENABLED=0 GOCACHE="$folder/cache"
    cd .go/src/k8s.io/kubernetes
    go build -o bin/openapi-gen ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    local meta=vendor/k8s.io/apimachinery/pkg own
    own=$(cd vendor && described ../staging/src/k8s.io | grep -v 'code-generator\|sample-apiserver' | sed 's#^\.\./staging/src#vendor#')
    # shellcheck disable=SC2046,SC2086  # lists of words
    describe pkg/generated/openapi $(described pkg) $own
    describe vendor/k8s.io/kube-aggregator/pkg/generated/openapi $meta/apis/meta/v1 $meta/runtime $meta/version \
        vendor/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1{,beta1}
    describe vendor/k8s.io/apiextensions-apiserver/pkg/generated/openapi $meta/apis/meta/v1 $meta/runtime \
        $meta/version vendor/k8s.io/api/autoscaling/v1
    local server
    for server in "${SERVERS[@]}"; do go build -tags providerless -o "bin/$server" "./cmd/$server"; done
}

folder=$(realpath --canonicalize-missing "${1:?a folder for what is compiled}")
for name in etcd kubectl "${SERVERS[@]}"; do [[ -x $folder/$name ]] || missing=1; done
[[ ${missing:-} ]] || exit 0
on_debian_as_root "packages of Debian"
mkdir -p "$folder"
install_packages golang-go dpkg-dev
# Not as part of a condition: there bash would go on after a command that fails.
set +e
(set -e; fetch; compile) > "$folder/compiled.log" 2>&1
code=$?
set -e
[[ $code -eq 0 ]] || { tail -20 "$folder/compiled.log" >&2; exit 1; }
mv "${SERVERS[@]/#/$folder/tree/bin/}" "$folder/packages/usr/bin/etcd" "$folder/packages/usr/bin/kubectl" "$folder"
rm -rf "$folder/tree" "$folder/cache" "$folder/packages" "$folder/apt" "$folder"/kubernetes_* "$folder"/*.deb
