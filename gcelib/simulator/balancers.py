"""Load balancer rules and their members."""

from __future__ import annotations

from gcelib.simulator.addresses import take_address
from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, invalid, rule_conflict
from gcelib.simulator.forwarding import check_public_ports, open_ports
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.machines import full_row
from gcelib.simulator.places import Balancer, Network, PublicAddress, Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Row

ALGORITHMS = ("roundrobin", "leastconn", "source")
PROTOCOLS = ("tcp", "udp", "tcp-proxy", "ssl")


def _row(call: Call, balancer: Balancer) -> Row:
    return {
        "id": balancer.id,
        "name": balancer.name,
        "description": balancer.description,
        "publicipid": balancer.address.id,
        "publicip": balancer.address.address,
        "publicport": str(balancer.public_port),
        "privateport": str(balancer.private_port),
        "algorithm": balancer.algorithm,
        "protocol": balancer.protocol,
        "networkid": balancer.network.id,
        "cidrlist": ",".join(balancer.cidrs),
        **ownership(call.world, balancer.owner),
        "state": balancer.state,
        "zoneid": balancer.address.zone.id,
        "zonename": balancer.address.zone.name,
        "tags": tag_rows(call.world, balancer),
        "fordisplay": True,
        **job_fields(balancer),
    }


@command("listLoadBalancerRules")
def list_balancers(call: Call) -> Row:
    """The caller's rules."""
    zone_id = call.params.pop("zoneid", "")
    rows = call.selected(call.visible(Balancer), name="name")
    if zone_id:
        rows = [rule for rule in rows if rule.address.zone.id == zone_id]
    if call.given("publicipid"):
        rows = [rule for rule in rows if rule.address.id == call.text("publicipid")]
    if call.given("networkid"):
        rows = [rule for rule in rows if rule.network.id == call.text("networkid")]
    if call.given("virtualmachineid"):
        rows = [rule for rule in rows if call.text("virtualmachineid") in rule.members]
    return listing(call, "loadbalancerrule", rows, lambda rule: _row(call, rule))


@command("listLoadBalancerRuleInstances")
def list_members(call: Call) -> Row:
    """The machines behind a rule; with lbvmips their addresses too."""
    balancer = call.find(Balancer, "id")
    machines = [machine for machine in call.world.all(Machine) if (machine.id in balancer.members)
                == call.flag("applied", default=True) and machine.owner is balancer.owner]  # fmt: skip
    if call.flag("lbvmips"):
        def with_address(machine: Machine) -> Row:
            addresses = [balancer.members.get(machine.id, "")]
            return {"loadbalancerruleinstance": full_row(call, machine), "lbvmipaddresses": addresses}

        return listing(call, "lbrulevmidip", machines, with_address)
    return listing(call, "loadbalancerruleinstance", machines, lambda machine: full_row(call, machine))


def _port(call: Call, name: str) -> int:
    port = call.number(name) or 0
    if not 1 <= port <= 65535:
        raise invalid(f"Invalid value for {name}: {port}")
    return port


def _place(call: Call) -> tuple[PublicAddress, Network]:
    """The address (taken on the spot when only a zone is given) and network of a new rule."""
    if call.given("publicipid"):
        address = call.find(PublicAddress, "publicipid")
        network = call.find(Network, "networkid") if call.given("networkid") else address.network
        if network is None:
            raise invalid(f"Address {address.address} is in no network; please give the networkid")
        return address, network
    if not (call.given("zoneid") and call.given("networkid")):
        raise invalid("publicipid, or zoneid and networkid, are required")
    network, zone = call.find(Network, "networkid"), call.shared(Zone, "zoneid")
    if network.zone is not zone or network.kind != "Isolated":
        raise invalid(f"Network {network.id} has no load balancing, or is in another zone")
    demand(call.world, network.owner, "public_ip")
    return take_address(call.world, network.owner, zone, network), network


@command("createLoadBalancerRule")
def create_balancer(call: Call) -> Task:
    """Make a rule; it has no members yet."""
    algorithm, protocol = call.text("algorithm").lower(), call.text("protocol", "tcp").lower()
    if algorithm not in ALGORITHMS:
        raise invalid(f"Invalid algorithm: {algorithm}")
    if protocol not in PROTOCOLS:
        raise invalid(f"Invalid protocol: {protocol}")
    if protocol == "udp":
        # The router's HAProxy has none; before 4.15 the rule was made, and was one for TCP.
        raise invalid("LB service provider cannot support this rule")
    public, private = _port(call, "publicport"), _port(call, "privateport")
    world = call.world
    address, network = _place(call)
    if address.static_nat:
        raise rule_conflict(f"Address {address.address} is a static NAT one")
    check_public_ports(world, address, protocol, public, public)
    open_ports(call, address, protocol, public, public)
    balancer = world.add(
        Balancer(
            id=world.new_id("balancer"), owner=address.owner, created=world.now(), name=call.text("name"),
            description=call.text("description"), address=address, network=network, public_port=public,
            private_port=private, algorithm=algorithm, protocol=protocol, cidrs=tuple(call.items("cidrlist")),
            state="Add",
        )
    )  # fmt: skip

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            world.remove(balancer)
            raise
        balancer.state = "Active"
        return {"loadbalancer": _row(call, balancer)}

    return Task(body=body(), on=balancer, event="LB.CREATE")


@command("updateLoadBalancerRule")
def update_balancer(call: Call) -> Task:
    """Change a rule's algorithm, name, description or protocol."""
    balancer = call.find(Balancer, "id")
    algorithm = call.text("algorithm", balancer.algorithm).lower()
    protocol = call.text("protocol", balancer.protocol).lower()
    if algorithm not in ALGORITHMS or protocol not in PROTOCOLS:
        raise invalid(f"Invalid algorithm {algorithm} or protocol {protocol}")

    def body() -> Body:
        yield 1.0
        balancer.algorithm, balancer.protocol = algorithm, protocol
        balancer.name = call.text("name", balancer.name)
        balancer.description = call.text("description", balancer.description)
        return {"loadbalancer": _row(call, balancer)}

    return Task(body=body(), on=balancer, event="LB.UPDATE")


def _wanted(call: Call) -> dict[str, str]:
    """The machines a call names, with their addresses if it says which."""
    found = dict.fromkeys(call.items("virtualmachineids"), "")
    found |= {entry.get("vmid", ""): entry.get("vmip", "") for entry in call.table("vmidipmap")}
    if not found:
        raise invalid("virtualmachineids or vmidipmap is required")
    return found


@command("assignToLoadBalancerRule")
def assign(call: Call) -> Task:
    """Put machines behind a rule; they need an interface in its network."""
    balancer = call.find(Balancer, "id")
    members = {}
    for machine_id, address in _wanted(call).items():
        machine = call.get(Machine, machine_id, "virtualmachineids")
        if machine.id in balancer.members:
            raise invalid(f"VM {machine.id} is already mapped to load balancer {balancer.id}")
        if not machine.alive:
            raise invalid(f"VM {machine.id} is {machine.state}")
        nics = [nic for nic in machine.nics if nic.network is balancer.network]
        if not nics:
            raise invalid(f"VM {machine.id} can't be added: it has no nic in the load balancer's network")
        members[machine.id] = address or nics[0].address

    def body() -> Body:
        yield 1.0
        balancer.members |= members
        return {"success": True}

    return Task(body=body(), on=balancer, event="LB.ASSIGN.TO.RULE")


@command("removeFromLoadBalancerRule")
def remove(call: Call) -> Task:
    """Take machines out of a rule."""
    balancer = call.find(Balancer, "id")
    wanted = _wanted(call)
    for machine_id in wanted:
        if machine_id not in balancer.members:
            raise invalid(f"VM {machine_id} is not behind load balancer {balancer.id}")

    def body() -> Body:
        yield 1.0
        for machine_id in wanted:
            balancer.members.pop(machine_id, None)
        return {"success": True}

    return Task(body=body(), on=balancer, event="LB.REMOVE.FROM.RULE")


@command("deleteLoadBalancerRule")
def delete_balancer(call: Call) -> Task:
    """Delete a rule; its address stays."""
    balancer = call.find(Balancer, "id")

    def body() -> Body:
        balancer.state = "Deleting"
        yield 1.0
        call.world.remove(balancer)
        return {"success": True}

    return Task(body=body(), on=balancer, event="LB.DELETE")
