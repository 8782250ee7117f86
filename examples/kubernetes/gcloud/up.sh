#!/usr/bin/env bash
# Makes the cluster: ./up.sh. What may be set is in ../README.md; ./down.sh takes it away again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${ZONE:?a zone of: gcloud compute zones list}" "${TOKEN:?a secret for the cluster: openssl rand -hex 16}"
network=${NETWORK:-default}
region=${ZONE%-*}
machine=(--zone="$ZONE" --network="$network" --machine-type="${MACHINE_TYPE:-small}"
  --image="${IMAGE:-debian-12}" ${IMAGE_PROJECT:+--image-project="$IMAGE_PROJECT"}
  --no-service-account --no-scopes --labels=cluster=kubernetes)
say() { printf '\n== %s\n' "$*"; }

if [ "$network" = default ]; then
  say "Rules between the machines: in a zone with security groups nothing reaches them that no rule lets in"
  gcloud compute firewall-rules create kubernetes-etcd --network="$network" \
    --allow=tcp:2379-2380 --source-tags=etcd,worker --target-tags=etcd
  gcloud compute firewall-rules create kubernetes-nodes --network="$network" \
    --allow=tcp:10250,udp:8472 --source-tags=worker --target-tags=worker
fi

say "What the world may reach: the API, what is published, and SSH"
gcloud compute firewall-rules create kubernetes-worker --network="$network" \
  --allow=tcp:22,tcp:6443,tcp:30000-32767 --target-tags=worker

say "Three machines for the state, two for the work"
gcloud compute instances create etcd-1 etcd-2 etcd-3 "${machine[@]}" --tags=etcd --no-address \
  --metadata-from-file=user-data="$here/../user-data/etcd.yaml"
filled=$(mktemp)
trap 'rm -f "$filled"' EXIT
sed "s/@TOKEN@/$TOKEN/" "$here/../user-data/worker.yaml" > "$filled"
gcloud compute instances create worker-1 worker-2 "${machine[@]}" --tags=worker \
  --metadata-from-file=user-data="$filled"

say "The two groups and their ports"
for group in etcd worker; do
  gcloud compute instance-groups unmanaged create "$group" --zone="$ZONE"
done
gcloud compute instance-groups unmanaged add-instances etcd --zone="$ZONE" --instances=etcd-1,etcd-2,etcd-3
gcloud compute instance-groups unmanaged add-instances worker --zone="$ZONE" --instances=worker-1,worker-2
gcloud compute instance-groups set-named-ports etcd --zone="$ZONE" --named-ports=client:2379,peer:2380
gcloud compute instance-groups set-named-ports worker --zone="$ZONE" --named-ports=api:6443,kubelet:10250

if [ "$network" != default ]; then
  say "An address that leads to the workers' API: the rule takes one for the workers' network, and then it is kept"
  gcloud compute target-pools create kubernetes --region="$region"
  gcloud compute target-pools add-instances kubernetes --region="$region" \
    --instances=worker-1,worker-2 --instances-zone="$ZONE"
  gcloud compute forwarding-rules create kubernetes --region="$region" \
    --ip-protocol=TCP --ports=6443 --target-pool=kubernetes
  address=$(gcloud compute forwarding-rules describe kubernetes --region="$region" --format='value(IPAddress)')
  gcloud compute addresses create kubernetes --region="$region" --addresses="$address"
  echo "The cluster's API will answer at https://$address:6443"
fi
gcloud compute instances list --filter=labels.cluster=kubernetes
