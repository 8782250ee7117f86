"""What each GCE client needs to be pointed at this server, as files and shell lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gcelib.cli.setups import ansible, curl, gcloud, gcutil, go, java, libcloud, node, python, terraform
from gcelib.cli.setups.setup import File, Setup

KINDS: Mapping[str, Callable[[Setup], list[File]]] = {
    "gcutil": gcutil.files,
    "gcloud": gcloud.files,
    "python": python.files,
    "node": node.files,
    "go": go.files,
    "java": java.files,
    "libcloud": libcloud.files,
    "ansible": ansible.files,
    "terraform": terraform.files,
    "curl": curl.files,
}

__all__ = ["KINDS", "File", "Setup"]
