#!/usr/bin/env bash
# cluster.sh up DIR [IMAGES.tar …] | kubectl DIR … | exec DIR COMMAND … | down DIR — a Kubernetes of one node, in a network
# namespace of its own, so that nothing of this machine's network changes. K8S_BIN is the folder that build.sh has filled.
# Needs root, and of Debian's packages etcd-server, runc, containernetworking-plugins, iptables, nftables and conntrack.
#
# Of the archives of images one must hold registry.k8s.io/pause:3.10. `exec` runs a command where pods and Services can be
# reached; pods reach it at 10.99.0.1.
set -euo pipefail
VERB=${1:-} DIR=${2:-} NAMESPACE=ordinal-kubernetes HOST=10.99.0.1
BIN=${K8S_BIN:?set K8S_BIN to the folder that build.sh has filled}
[[ $VERB =~ ^(up|kubectl|exec|down)$ && $DIR = /* ]] || { echo "usage: cluster.sh up|kubectl|exec|down DIR …, where DIR begins with /"; exit 2; }
shift 2
inside() { nsenter --net="/run/netns/$NAMESPACE" "$@"; }
# start NAME COMMAND … — in the background, with its output and its process id in DIR
start() { local name=$1; shift; nohup nsenter --net="/run/netns/$NAMESPACE" "$@" > "$name.log" 2>&1 < /dev/null & echo $! > "$name.pid"; }
# until_so COMMAND … — for at most two minutes
until_so() { for _ in $(seq 1 600); do "$@" > /dev/null 2>&1 && return; sleep 0.2; done; echo "this did not come: $*"; exit 1; }
admin() { inside "$BIN/kubectl" --kubeconfig "$DIR/kubeconfig" "$@"; }

certificates() {
  openssl genrsa -out sa.key 2048
  openssl req -x509 -newkey rsa:2048 -nodes -keyout proxy-ca.key -out proxy-ca.crt -days 30 -subj /CN=front-proxy-ca
  openssl req -newkey rsa:2048 -nodes -keyout proxy.key -out proxy.csr -subj /CN=front-proxy-client
  openssl x509 -req -in proxy.csr -CA proxy-ca.crt -CAkey proxy-ca.key -CAcreateserial -out proxy.crt -days 30
}

control_plane() {
  start etcd etcd --data-dir "$DIR/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379
  printf 'admin-token,admin,1,"system:masters"\n' > tokens.csv
  start apiserver "$BIN/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --bind-address 0.0.0.0 --advertise-address $HOST --secure-port 6443 \
    --cert-dir "$DIR/certs" --service-account-key-file sa.key --service-account-signing-key-file sa.key --service-account-issuer https://127.0.0.1:6443 \
    --service-cluster-ip-range 10.96.0.0/16 --authorization-mode RBAC --token-auth-file tokens.csv --endpoint-reconciler-type lease \
    --kubelet-preferred-address-types InternalIP --client-ca-file proxy-ca.crt --requestheader-client-ca-file proxy-ca.crt \
    --requestheader-allowed-names front-proxy-client --requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group \
    --requestheader-username-headers X-Remote-User --proxy-client-cert-file proxy.crt --proxy-client-key-file proxy.key
  cat > kubeconfig <<K
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: admin-token } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
K
  until_so admin get --raw /readyz
  start controllers "$BIN/kube-controller-manager" --kubeconfig kubeconfig --service-account-private-key-file sa.key --root-ca-file certs/apiserver.crt \
    --use-service-account-credentials=true --bind-address 127.0.0.1 --leader-elect=false --allocate-node-cidrs --cluster-cidr 10.244.0.0/16
  start scheduler "$BIN/kube-scheduler" --kubeconfig kubeconfig --bind-address 127.0.0.1 --leader-elect=false
}

node() {
  mkdir -p cni containerd kubelet
  cat > cni/10-bridge.conflist <<C
{ "cniVersion": "0.4.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
    "ipam": { "type": "host-local", "dataDir": "$DIR/ipam", "ranges": [[{ "subnet": "10.244.0.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }
C
  cat > containerd/config.toml <<C
version = 3
root = "$DIR/containerd/root"
state = "$DIR/containerd/state"
oom_score = 0
[grpc]
  address = "$DIR/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:3.10"
[plugins."io.containerd.cri.v1.runtime"]
  # A machine without CAP_SYS_RESOURCE may not lower scores.
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$DIR/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
C
  PATH="$BIN:$PATH" start containerd "$BIN/containerd" --config containerd/config.toml
  until_so "$BIN/ctr" --address "$DIR/containerd.sock" version
  for archive in "$@"; do "$BIN/ctr" --address "$DIR/containerd.sock" --namespace k8s.io images import "$archive" > /dev/null; done
  cat > kubelet/config.yaml <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $HOST
authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }
authorization: { mode: AlwaysAllow }
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$DIR/containerd.sock
maxOpenFiles: 16384
enforceNodeAllocatable: []
resolvConf: ""
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: { memory.available: "100Mi", nodefs.available: "1%" }
C
  start kubelet "$BIN/kubelet" --config kubelet/config.yaml --kubeconfig kubeconfig --root-dir "$DIR/kubelet" --hostname-override node1 --node-ip $HOST
  start proxy "$BIN/kube-proxy" --kubeconfig kubeconfig --hostname-override node1 --proxy-mode nftables --cluster-cidr 10.244.0.0/16 --conntrack-max-per-core 0
  until_so admin wait --for=condition=Ready node/node1 --timeout=1s
}

# The metrics by which pods are scaled; the server runs on the node itself.
metrics() {
  start metrics-server "$BIN/metrics-server" --kubeconfig kubeconfig --authentication-kubeconfig kubeconfig --authorization-kubeconfig kubeconfig \
    --kubelet-insecure-tls --kubelet-preferred-address-types InternalIP --secure-port 4443 --cert-dir metrics-server --metric-resolution 15s
  admin apply --filename - <<M
apiVersion: v1
kind: Service
metadata: { name: metrics-server, namespace: kube-system }
spec: { ports: [{ port: 443, targetPort: 4443 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: metrics-server-node, namespace: kube-system, labels: { kubernetes.io/service-name: metrics-server } }
addressType: IPv4
endpoints: [{ addresses: ["$HOST"] }]
ports: [{ port: 4443, protocol: TCP }]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.metrics.k8s.io }
spec: { group: metrics.k8s.io, version: v1beta1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: { name: metrics-server, namespace: kube-system } }
M
}

stop() { for name in "$@"; do kill "$(cat "$name.pid")" 2> /dev/null || true; done; }

case $VERB in
up)
  ip netns add $NAMESPACE
  inside ip link set lo up
  inside ip link add node0 type veth peer name node1
  inside ip addr add $HOST/24 dev node0
  inside ip link set node0 up
  inside ip link set node1 up
  inside ip route add default via $HOST
  inside sysctl -qw net.ipv4.ip_forward=1
  mkdir -p "$DIR"; cd "$DIR"
  certificates 2> /dev/null
  control_plane
  node "$@"
  metrics
  admin get nodes -o wide ;;
kubectl) admin "$@" ;;
exec) KUBECONFIG="$DIR/kubeconfig" KUBECTL="$BIN/kubectl" HOST_ADDRESS=$HOST inside "$@" ;;
down)
  cd "$DIR"
  admin delete deployments,jobs,pods --all --all-namespaces --grace-period=2 --timeout=40s > /dev/null 2>&1 || true
  stop metrics-server kubelet proxy scheduler controllers
  for task in $("$BIN/ctr" --address "$DIR/containerd.sock" --namespace k8s.io tasks ls --quiet 2> /dev/null); do
    "$BIN/ctr" --address "$DIR/containerd.sock" --namespace k8s.io tasks kill --signal KILL "$task" 2> /dev/null || true
  done
  sleep 1
  # Its own way down waits a minute for those who watch.
  kill -9 "$(cat apiserver.pid)" 2> /dev/null || true
  stop containerd etcd
  sleep 2
  grep -oE " $DIR[^ ]+ " /proc/mounts | sort -r | while read -r mount; do umount -l "$mount" 2> /dev/null || true; done
  ip netns del $NAMESPACE ;;
esac
