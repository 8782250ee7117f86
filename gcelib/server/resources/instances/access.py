"""Access configs: the public address that stands for a machine's interface, by the cloud's static NAT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import Invalid, Missing, Unsupported
from gcelib.models import Address, Network, Nic, Node
from gcelib.server import addresses, balancing, late, remarks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.resources.instances.labelling import subject

NAT = "External NAT"
REFUSED: unmet.Wishes = {
    "type": lambda value: value != "ONE_TO_ONE_NAT", "publicPtrDomainName": bool, "setPublicPtr": bool,
    "securityPolicy": bool, "ipCollection": bool, "externalIpv6": bool, "externalIpv6PrefixLength": bool,
    "networkTier": lambda value: value != addresses.PREMIUM,
}


def remark(index: int) -> str:
    """Under which name the access config's own name is kept."""
    return f"nat-nic{index}" if index else "nat"


def public_ip(nic: Nic) -> str:
    """The address an interface is reached at from outside, "" for none."""
    return nic.ip if nic.direct else nic.public_ip


def shown_name(index: int, tags: Mapping[str, str], note: Mapping[str, Any]) -> str:
    """The access config's name."""
    return str(remarks.said_of(remark(index), tags, note)) or NAT


def addition(ctx: Context, item: Found[Node]) -> list[Step]:
    """An address given to an interface that has none: the reserved one of `natIP`, else an ephemeral one."""
    index, nic = _interface(ctx, item)
    network = _able(ctx, item, index, nic)
    unmet.refuse(ctx, item.cloud, ctx.body, REFUSED, "machines' public addresses", "resource")
    if nic.public_ip:
        raise Invalid(
            f"Invalid value for field 'networkInterface': 'nic{index}'. At most one access config is supported, and "
            "the "
            f"interface has '{nic.public_ip}'. Delete that one first.", field="networkInterface",
        )
    about, ip = subject(ctx, item), addresses.checked_ip(ctx.body.get("natIP", ""), "resource.natIP")
    steps = _standing(ctx, network, ip, "resource.natIP", item.model.id, nic.ip)
    name = ctx.body.get("name", NAT)
    return [*steps, *remarks.restated(about, {remark(index): "" if name == NAT else name})]


def change(ctx: Context, item: Found[Node]) -> list[Step]:
    """Another name. Raises Unsupported for another address or a domain name."""
    index, nic = _interface(ctx, item)
    about = subject(ctx, item)
    public = public_ip(nic)
    unmet.refuse(ctx, item.cloud, ctx.body, REFUSED, "machines' public addresses", "resource")
    if not public:
        raise Invalid(f"Invalid value for field 'networkInterface': 'nic{index}'. The interface has no access config; "
                      "add one.", field="networkInterface")
    if ctx.body.get("natIP", public) != public:
        raise Invalid(f"Invalid value for field 'resource.natIP': '{ctx.body['natIP']}'. The address of an access "
                      "config "
                      "cannot be changed: delete it and add another.", field="resource.natIP")
    name = ctx.body.get("name", "")
    if not name or name == shown_name(index, about.tags, about.note):
        return []
    return remarks.restated(about, {remark(index): "" if name == NAT else name})


def removal(ctx: Context, item: Found[Node]) -> list[Step]:
    """The interface's address taken from it; an ephemeral one is given back."""
    index, nic = _interface(ctx, item)
    _able(ctx, item, index, nic)
    about, name = subject(ctx, item), ctx.query.get("accessConfig", "")
    if not nic.public_ip or name != shown_name(index, about.tags, about.note):
        has = f"it has '{shown_name(index, about.tags, about.note)}'" if nic.public_ip else "it has none"
        raise Invalid(f"Invalid value for field 'accessConfig': '{name}'. The interface 'nic{index}' has no access "
                      "config "
                      f"of this name: {has}.", field="accessConfig")
    steps = [step for each in _of(ctx, item) if each.model.ip == nic.public_ip for step in letting_go(ctx, each, nic)]
    if not steps:
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud '{item.cloud.name}' for '{nic.public_ip}': the cloud gave the "
            "machine this address when it was made, and takes it back when it is stopped. Make the machine without one."
        )
    return [*steps, *(remarks.restated(about, {remark(index): ""}) if name != NAT else [])]


def letting_go(ctx: Context, item: Found[Address], nic: Nic | None = None) -> list[Step]:
    """Steps after which an address stands for no machine; an ephemeral one is given back."""
    cloud, address = item.cloud.name, item.model
    label = f"no nat {address.ip}"
    undo = None
    if nic is not None:
        args = {"id": address.id, "node_id": address.node_id, "network_id": nic.network_id, "ip": nic.ip}
        undo = Step(f"nat {address.ip} again", cloud, "addresses", "enable_nat", args)
    steps = [Step(label, cloud, "addresses", "disable_nat", {"id": address.id}, undo=undo)]
    if addresses.ephemeral(ctx, item):
        steps.append(Step(f"release {address.ip}", cloud, "addresses", "release", {"id": address.id}))
        if addresses.note_of(ctx, item):
            where = {"place": cloud, "kind": "address", "id": address.id}
            steps.append(Step(f"un-note {address.ip}", "", "notes", "delete", where))
    return steps


def with_machine(ctx: Context, item: Found[Node]) -> list[Step]:
    """Steps that let go of every address of a machine that is being deleted, and shut those it was behind with others
    as far as they were open for its tags."""
    if not any(not nic.direct for nic in item.model.nics):
        return []
    own = any(nic.public_ip for nic in item.model.nics)
    steps = [step for each in _of(ctx, item) for step in letting_go(ctx, each)] if own else []
    shared = [
        ctx.view.networks.by_id(item.cloud.name, each.network_id) for part in ctx.view.parts("balancers")
        if part.cloud is item.cloud for each in part.rows if item.model.id in each.node_ids
    ]
    return [*steps, *late.around(ctx.view, shared)]


def at_birth(configs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a new machine is to have a public address of the moment: one is wanted, and no reserved one."""
    return bool(configs) and not configs[0].get("natIP")


def for_new(
    ctx: Context, cloud: Cloud, network: Found[Network] | None, configs: Sequence[Mapping[str, Any]]
) -> list[Step]:
    """Steps that give a new machine, made by step "node", the address asked for.

    None where its own address is the public one. Raises Unsupported for a `natIP` there.
    """
    path = "resource.networkInterfaces[0].accessConfigs"
    if len(configs) > 1:
        raise Invalid(f"Invalid value for field '{path}': at most one access config is supported.", field=path)
    if not configs:
        return []
    unmet.refuse(ctx, cloud, configs[0], REFUSED, "machines' public addresses", f"{path}[0]")
    ip = addresses.checked_ip(configs[0].get("natIP", ""), f"{path}[0].natIP")
    if network is None or not network.model.nat:
        if ip:
            raise Unsupported(
                f"{ctx.method.id} with field '{path}[0].natIP' is not offered on cloud '{cloud.name}' for network "
                f"'{network.name if network else 'default'}': no reserved address can stand for its machines. Leave "
                "the "
                "field out.", field=f"{path}[0].natIP",
            )
        return []
    if not ip and cloud.traits.public_at_birth:
        return []
    # A machine that is being made brings its network up, and until that is up nothing stands for its machines.
    return _standing(ctx, network, ip, f"{path}[0].natIP", {"$ref": "node.id"}, "")


def _standing(
    ctx: Context, network: Found[Network], ip: str, field: str, node_id: Any, guest_ip: str
) -> list[Step]:
    """Steps that let an address stand for a machine: a reserved one, or one taken for it; and open it as it should."""
    cloud = network.cloud.name
    if ip:
        id: Any = _reserved(ctx, network, ip, field).model.id
        steps: list[Step] = []
    else:
        # The network of a new machine takes its first address when that brings it up.
        after = [node_id] if isinstance(node_id, Mapping) else []
        steps = addresses.acquisition(ctx, network, {}, {addresses.EPHEMERAL: "true"}, after=after)
        id = {"$ref": "address.target"}
    args = {"id": id, "node_id": node_id, "network_id": network.model.id, "ip": guest_ip}
    undo = Step("no nat", cloud, "addresses", "disable_nat", {"id": id})
    nat = Step("nat", cloud, "addresses", "enable_nat", args, undo=undo)
    return [*steps, nat, *late.around(ctx.view, [network])]


def _reserved(ctx: Context, network: Found[Network], ip: str, field: str) -> Found[Address]:
    region = naming.region_of(network.zone)
    found = addresses.at(ctx, ip, region)
    if found is None or found.cloud.name != network.cloud.name:
        raise Invalid(f"Invalid value for field '{field}': '{ip}'. The specified external IP address '{ip}' was not "
                      f"reserved in region '{region}'.", field=field)
    addresses.refuse_used(ctx, found, [*addresses.users(ctx, found), *balancing.rules_on(ctx, found)])
    if found.model.network_id not in ("", network.model.id):
        other = ctx.view.networks.by_id(found.cloud.name, found.model.network_id)
        raise Invalid(
            f"Invalid value for field '{field}': '{ip}'. On cloud '{found.cloud.name}' an address is for one network: "
            "this "
            f"one is for '{other.name if other else found.model.network_id}', the interface is in '{network.name}'.",
            field=field,
        )
    return found


def _interface(ctx: Context, item: Found[Node]) -> tuple[int, Nic]:
    """The interface the request is about. Raises Missing without one, Invalid for one the machine has not."""
    name = ctx.query.get("networkInterface", "")
    if not name:
        raise Missing("Required parameter 'networkInterface' not specified", field="networkInterface")
    for index, nic in enumerate(item.model.nics):
        if name == f"nic{index}":
            return index, nic
    raise Invalid(f"Invalid value for field 'networkInterface': '{name}'. Instance '{item.name}' has interfaces nic0 "
                  "to "
                  f"nic{len(item.model.nics) - 1}.", field="networkInterface")


def _able(ctx: Context, item: Found[Node], index: int, nic: Nic) -> Found[Network]:
    """The interface's network. Raises Unsupported where no address can stand for its machines."""
    network = ctx.view.networks.by_id(item.cloud.name, nic.network_id)
    if network is not None and network.model.nat:
        return network
    name = network.name if network else nic.network_name
    own = f"the address of interface nic{index}, {nic.ip}, is the public one itself, and stays with the machine"
    none = f"machines of network '{name}' have no public addresses; make them in a network of the account's own"
    raise Unsupported(f"{ctx.method.id} is not offered on cloud '{item.cloud.name}' for machines of network '{name}': "
                      f"{own if nic.direct else none}.")


def _of(ctx: Context, item: Found[Node]) -> list[Found[Address]]:
    """The addresses that stand for a machine."""
    key = (item.cloud.name, item.model.id)
    return [each for each in addresses.addresses(ctx) if (each.cloud.name, each.model.node_id) == key]
