"""What GCE does with machines and no cloud here can: why not, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

CONSOLE = "it keeps no console output for its users. Log in by ssh, or open the console in the cloud's own portal."
SHIELD = "it has no shielded machines."
PLACEMENT = "its operator alone decides on which host a machine runs, and when it is moved."
POLICIES = "it has no resource policies. Run what they would do from your own scheduler."

REFUSALS: Mapping[str, str] = {
    "suspend": "it does not keep a machine's memory while it is off. Use compute.instances.stop: its disks stay.",
    "resume": "no machine is ever suspended there. Use compute.instances.start.",
    "getScreenshot": CONSOLE,
    "sendDiagnosticInterrupt": "it cannot interrupt a guest. Use compute.instances.reset.",
    "simulateMaintenanceEvent": PLACEMENT,
    "performMaintenance": PLACEMENT,
    "reportHostAsFaulty": PLACEMENT,
    "addResourcePolicies": POLICIES,
    "removeResourcePolicies": POLICIES,
    "setMinCpuPlatform": "its machine types do not say which processor they have. Choose another with "
    "compute.instances.setMachineType.",
    "setSecurityPolicy": "it has no security policies. Use compute.firewalls.",
    "setShieldedInstanceIntegrityPolicy": SHIELD,
    "getShieldedInstanceIdentity": SHIELD,
    "updateShieldedInstanceConfig": SHIELD,
    "startWithEncryptionKey": "it takes no keys for its disks. Use compute.instances.start.",
    "updateDisplayDevice": "every machine there has a display, and none can lose it.",
    "getIamPolicy": "roles are held on projects, not on machines. `gcelib account list` shows them.",
    "setIamPolicy": "roles are given on projects, not on machines. `gcelib account grant` gives them.",
}
"""GCE's method name -> the second half of the sentence that refuses it."""
