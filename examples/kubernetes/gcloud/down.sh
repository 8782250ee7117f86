#!/usr/bin/env bash
# Takes away what ./up.sh made, with the same settings.
set -euo pipefail
: "${ZONE:?the zone that up.sh was given}"
network=${NETWORK:-default}
region=${ZONE%-*}
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

if [ "$network" != default ]; then
  gcloud compute forwarding-rules delete kubernetes --region="$region"
  gcloud compute addresses delete kubernetes --region="$region"
  gcloud compute target-pools delete kubernetes --region="$region"
fi
gcloud compute instance-groups unmanaged delete etcd worker --zone="$ZONE"
gcloud compute instances delete etcd-1 etcd-2 etcd-3 worker-1 worker-2 --zone="$ZONE"
gcloud compute firewall-rules delete kubernetes-worker
if [ "$network" = default ]; then
  gcloud compute firewall-rules delete kubernetes-etcd kubernetes-nodes
fi
