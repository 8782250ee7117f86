"""What a cloud holds, provider-neutral: frozen values that drivers give and the server renders.

Ids and names are the backend's own. Times are aware UTC datetimes, sizes carry their unit in the name.
`tags` are the key-value pairs that the cloud itself keeps on the thing. They are structs of msgspec's, which
are made in a quarter of a dataclass's time: a list may have ten thousand.
"""

from __future__ import annotations

from gcelib.models.account import Job, JobState, Quota
from gcelib.models.machines import KeyPair, Nic, Node, NodeState
from gcelib.models.networks import (
    AccessList,
    AccessRule,
    Address,
    Balancer,
    Group,
    GroupRule,
    Guard,
    Network,
    Route,
    Vpc,
    VpcType,
)
from gcelib.models.offers import CustomRange, Image, ImageState, Size, VolumeType, Zone
from gcelib.models.storage import Snapshot, Volume, VolumeState

__all__ = [
    "AccessList",
    "AccessRule",
    "Address",
    "Balancer",
    "CustomRange",
    "Group",
    "GroupRule",
    "Guard",
    "Image",
    "ImageState",
    "Job",
    "JobState",
    "KeyPair",
    "Network",
    "Nic",
    "Node",
    "NodeState",
    "Quota",
    "Route",
    "Size",
    "Snapshot",
    "Volume",
    "VolumeState",
    "VolumeType",
    "Vpc",
    "VpcType",
    "Zone",
]
