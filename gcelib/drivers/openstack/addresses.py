"""Neutron's floating addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.effects import Effects, Seen, reached
from gcelib.drivers.openstack import servers
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import KEY, Facet, utc
from gcelib.drivers.openstack.markers import decoded
from gcelib.drivers.openstack.networks import Networks
from gcelib.drivers.openstack.places import Zones
from gcelib.drivers.openstack.records import FloatingIpRow
from gcelib.errors import NotFound, NotReady, Refused
from gcelib.models import Address, Job


class Addresses(Facet):
    """Floating addresses, for any network that leads out to where they come from."""

    name = "addresses"

    def __init__(self, api: Api, effects: Effects, zones: Zones, networks: Networks) -> None:
        super().__init__(api, effects)
        self._zones, self._networks = zones, networks

    def list(self) -> Sequence[Address]:
        """Every floating address of the project, shown in its first zone: they are the whole region's."""
        rows = self._rows()
        if not rows:
            return []
        zone = next(iter(self._zones.names()), "")
        users = {port.id: port for port in servers.ports(self.api)}
        return [
            Address(row.id, row.floating_ip_address, zone_id=zone,
                    node_id=(users[row.port_id].device_id or "") if row.port_id in users else "",
                    held=row.port_id if row.port_id and row.port_id not in users else "",
                    created=utc(row.created_at), tags=decoded(row.tags or ()))
            for row in rows
        ]

    def acquire(self, *, key: str, zone_id: str, network_id: str, ip: str = "", known: Sequence[str] = (),
                submitted: str = "") -> Job:
        """Take an address where the network leads out; the change's key is in its description."""
        outside = self._networks.outside(network_id)
        if not outside:
            raise Refused(f"{self.at} has no way out of this network: no router joins it to an outside network whose "
                          "addresses could stand for its machines.")
        body: dict[str, Any] = {"floating_network_id": outside, "description": f"{KEY} {key}"}
        if ip:
            body["floating_ip_address"] = ip
        made = self.api.make("network", "/v2.0/floatingips", "floatingip", body)
        return self.done(str(made["id"]), ip=str(made.get("floating_ip_address") or ""))

    def release(self, *, key: str, id: str) -> Job:
        """Give an address back; one already gone is done."""
        self.api.remove("network", f"/v2.0/floatingips/{id}")
        return self.done(id)

    def enable_nat(self, *, key: str, id: str, node_id: str, network_id: str, ip: str = "") -> Job:
        """Let an address stand for a machine's port in this network, as soon as it has one."""
        return self.begin("enable_nat", {"id": id, "node_id": node_id, "network_id": network_id}, id)

    def disable_nat(self, *, key: str, id: str) -> Job:
        """Let an address stand for nothing; one that is gone is done."""
        try:
            self._put(id, None)
        except NotFound:
            return self.done(id)
        return self.done(id)

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Put an address on the machine's port."""
        found = [port for port in servers.ports(self.api, args["node_id"]) if port.network_id == args["network_id"]]
        if not found:
            raise NotReady(f"{self.at}: the machine has no interface in this network.")
        self._put(target, found[0].id)

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether the machine is still being made."""
        row = servers.server(self.api, args["node_id"])
        return row is not None and servers.busy(row)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether the address stands for the machine; put it there once the machine has its port."""
        seen = self.seen(verb, args, target)
        return seen if seen is not None or verb != "enable_nat" else self.sent_on(verb, args, target)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the address as it is now."""
        if verb == "acquire":
            mark = f"{KEY} {args.get('key')}"
            made = next((row for row in self._rows() if row.description == mark), None)
            return reached(True, made.id, ip=made.floating_ip_address) if made else None
        row = self.api.one("network", f"/v2.0/floatingips/{target}", "floatingip", FloatingIpRow)
        if verb == "release" or row is None:
            return reached(row is None, target)
        if verb == "disable_nat":
            return reached(not row.port_id, target)
        there = any(port.id == row.port_id for port in servers.ports(self.api, args["node_id"]))
        return reached(bool(row.port_id) and there, target)

    def _rows(self) -> Sequence[FloatingIpRow]:
        project = self.api.me().project_id
        return self.api.rows("network", "/v2.0/floatingips", "floatingips", FloatingIpRow, project_id=project)

    def _put(self, id: str, port_id: str | None) -> None:
        self.api.change("PUT", "network", f"/v2.0/floatingips/{id}", {"floatingip": {"port_id": port_id}})
