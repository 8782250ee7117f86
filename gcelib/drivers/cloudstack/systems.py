"""What CloudStack wants to know of a new template: its operating system, its file's format, its hypervisor."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import Client
from gcelib.errors import Forbidden, Refused

FORMATS = {"qcow2": "QCOW2", "raw": "RAW", "img": "RAW", "vhd": "VHD", "ova": "OVA"}
PACKED = ("", ".gz", ".bz2", ".zip")
FILES = tuple(f".{ending}{packed}" for ending in FORMATS for packed in PACKED)
"""How the names of files end that CloudStack fetches."""
HYPERVISORS = {
    "QCOW2": ("kvm",), "RAW": ("kvm", "lxc"), "VHD": ("xenserver", "hyperv"), "OVA": ("vmware",),
}
"""Format -> the hypervisors that take it, the likeliest first."""
OTHERS = ("Other (64-bit)", "Other Linux (64-bit)", "Other PV (64-bit)")
"""Operating systems nobody knows more about."""


def format_of(url: str) -> str:
    """The format of a file by its name. Raises Refused for a name that tells none."""
    name = urlsplit(url).path.lower()
    for ending, format in FORMATS.items():
        if name.endswith(tuple(f".{ending}{packed}" for packed in PACKED)):
            return format
    raise Refused(f"CloudStack cannot tell the format of '{name}': its name must end in one of {', '.join(FILES)}.")


class MachineRow(records.Row, frozen=True, kw_only=True):
    """A machine, as far as its operating system is concerned."""

    guestosid: str = ""


class Systems:
    """listOsTypes and listHypervisors, and what else has the operating system of a disk."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def of(self, volume_id: str = "", snapshot_id: str = "") -> str:
        """The id of the operating system a disk or snapshot came from, else that of an unknown one."""
        if snapshot_id:
            copies = self.client.rows("listSnapshots", "snapshot", records.SnapshotRow, id=snapshot_id)
            return (copies[0].ostypeid if copies else "") or self.other()
        disks = self.client.rows("listVolumes", "volume", records.VolumeRow, id=volume_id)
        disk = disks[0] if disks else records.VolumeRow()
        return self._of_template(disk.templateid) or self._of_machine(disk) or self.other()

    def _of_template(self, template: str) -> str:
        for which in ("executable", "self") if template else ():
            try:
                rows = self.client.rows(
                    "listTemplates", "template", records.TemplateRow, templatefilter=which, id=template
                )
            except Forbidden:
                # Machines go on that were made of what has become another account's private template.
                return ""
            if rows and rows[0].ostypeid:
                return rows[0].ostypeid
        return ""

    def _of_machine(self, disk: records.VolumeRow) -> str:
        if not (disk.virtualmachineid and disk.type.upper() == "ROOT"):
            return ""
        rows = self.client.rows(
            "listVirtualMachines", "virtualmachine", MachineRow, details="min,tmpl", id=disk.virtualmachineid
        )
        return rows[0].guestosid if rows else ""

    def other(self) -> str:
        """The id of the operating system nobody knows more about. Raises Refused where the cloud has none at all."""
        rows = self.client.rows("listOsTypes", "ostype", records.OsTypeRow)
        for wanted in OTHERS:
            found = next((row for row in rows if row.description == wanted), None)
            if found is not None:
                return found.id
        if not rows:
            raise Refused(f"{self.client.at} lists no operating systems, and a template must be of one.")
        return self._likeliest(rows).id

    def hypervisor(self, zone_id: str, format: str) -> str:
        """The hypervisor of the zone that takes this format. Raises Refused when none does."""
        rows = self.client.rows("listHypervisors", "hypervisor", records.HypervisorRow, zoneid=zone_id)
        for wanted in HYPERVISORS[format]:
            found = next((row.name for row in rows if row.name.casefold() == wanted), "")
            if found:
                return found
        names = ", ".join(row.name for row in rows) or "none"
        raise Refused(f"{self.client.at}: no hypervisor there takes a file of format {format}; there is {names}.")

    def _likeliest(self, rows: Sequence[records.OsTypeRow]) -> records.OsTypeRow:
        return next((row for row in rows if "other" in row.description.casefold()), rows[0])
