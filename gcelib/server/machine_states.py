"""What GCE calls the states a machine can be in."""

from __future__ import annotations

from gcelib.models import NodeState

STATUS = {
    NodeState.PROVISIONING: "PROVISIONING", NodeState.STAGING: "STAGING", NodeState.RUNNING: "RUNNING",
    NodeState.STOPPING: "STOPPING", NodeState.STOPPED: "TERMINATED", NodeState.ERROR: "TERMINATED",
}
