"""The cloud as it is before anyone has used it: zones, offerings, templates, accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gcelib.simulator.groups import default_group
from gcelib.simulator.hardware import GIB, DiskOffering, OsType, ServiceOffering, Template
from gcelib.simulator.places import AclItem, AclList, AddressPool, Network, NetworkOffering, VpcOffering, Zone
from gcelib.simulator.records import Account, Owner, Project
from gcelib.simulator.world import World

BASIC, ISOLATED, GROUPED = "CH-GV2", "DE-ADV1", "FR-SG1"
ZONES = (BASIC, ISOLATED, GROUPED)
# name, MiB, cores; Large is called 8192 and was 8182 where these sizes come from.
SIZES = (("Micro", 512, 1), ("Tiny", 1024, 1), ("Small", 2048, 2), ("Medium", 4096, 2), ("Large", 8182, 4),
         ("Extra-large", 16384, 4), ("Huge", 32184, 8))  # fmt: skip
SAID_MEMORY = {"Large": 8192}
SERVICES = ("Dhcp", "Dns", "UserData")
ROUTER = (*SERVICES, "SourceNat", "StaticNat", "PortForwarding", "Lb", "Firewall", "Vpn")
DISK_SIZES = (10, 50, 100, 200, 400)
PUBLIC_ADDRESSES = 16
EPOCH = 1381693287.0  # 2013-10-13, when the first zone's example was written
LOW_LIMITS = {"user_vm": 2, "volume": 4, "public_ip": 2, "snapshot": 2, "template": 1, "network": 1, "vpc": 1,
              "cpu": 8, "memory": 16384, "primary_storage": 600, "secondary_storage": 400}  # fmt: skip


def fake_key(seed: int, name: str, what: str) -> str:
    """A key that is the same for the same seed, and that nobody takes for a real one."""
    return f"simulator-{what}-{hashlib.sha256(f'{seed}/{name}/{what}'.encode()).hexdigest()[:40]}"


def add_account(world: World, name: str, admin: bool = False) -> Account:
    """Open an account with a user, keys and a default security group."""
    account = Account(
        id=world.new_id("account"), name=name, api_key=fake_key(world.seed, name, "key"), admin=admin,
        secret_key=fake_key(world.seed, name, "secret"), user_id=world.new_id("user"),
    )  # fmt: skip
    world.accounts[name] = account
    world.by_key[account.api_key] = account
    default_group(world, account)
    return account


def add_project(world: World, name: str, members: Iterable[str], limits: dict[str, int]) -> Project:
    """Open a project; its first member owns it."""
    names = list(members)
    return world.add(
        Project(id=world.new_id("project"), name=name, displaytext=name, created=EPOCH, limits=dict(limits),
                members=set(names), owner=world.accounts[names[0]])
    )  # fmt: skip


def build(world: World, zones: Iterable[str], tenants: Iterable[str]) -> None:
    """Fill an empty world. Raises ValueError for a zone that is not one of ZONES."""
    wanted = list(zones)
    if not wanted or set(wanted) - set(ZONES):
        raise ValueError(f"the simulated zones are {', '.join(ZONES)}, not {', '.join(wanted) or 'none'}")
    admin = add_account(world, "admin", admin=True)
    for name in ("demo", "other", *tenants):
        add_account(world, name)
    add_project(world, "shared-project", ["demo"], LOW_LIMITS)
    _offerings(world, admin)
    systems = _os_types(world, admin)
    made = {name: _zone(world, admin, name) for name in ZONES if name in wanted}
    if BASIC in made:
        _example_templates(world, admin, systems, made[BASIC])
    advanced = [zone for name, zone in made.items() if name != BASIC]
    if advanced:
        _cloud_templates(world, admin, systems, advanced)


def _offerings(world: World, admin: Owner) -> None:
    for name, memory, cpus in SIZES:
        said = SAID_MEMORY.get(name, memory)
        text = f"{name} {said}mb {cpus}cpu"
        _size(world, admin, name, text, cpus, 2198, memory)
    _size(world, admin, "Custom", "Custom 1-16 cpu, 512-32768mb", None, None, None, (1, 16, 512, 32768))
    _size(world, admin, "Custom-constrained", "Custom 2-8 cpu of 2000MHz, 1024-16384mb", None, 2000, None,
          (2, 8, 1024, 16384))  # fmt: skip
    for name, gib in (("Small", 5), ("Medium", 20), ("Large", 100), ("Custom", 0)):
        text = f"{name} Disk, {gib} GB" if gib else "Custom Disk"
        world.add(DiskOffering(id=world.new_id("diskoffering"), owner=admin, created=EPOCH, name=name,
                               displaytext=text, gib=gib))  # fmt: skip


def _size(
    world: World, admin: Owner, name: str, text: str, cpus: int | None, speed: int | None, memory: int | None,
    bounds: tuple[int, int, int, int] | None = None,
) -> None:  # fmt: skip
    world.add(
        ServiceOffering(id=world.new_id("serviceoffering"), owner=admin, created=EPOCH, name=name, displaytext=text,
                        cpus=cpus, speed=speed, memory=memory, bounds=bounds)
    )  # fmt: skip


def _os_types(world: World, admin: Owner) -> dict[str, OsType]:
    category = world.new_id("oscategory")
    texts = ("CentOS 5.5 (64-bit)", "CentOS 6.4 (64-bit)", "Ubuntu 12.04 (64-bit)", "Ubuntu 13.04 (64-bit)",
             "Windows Server 2008 R2 (64-bit)", "Windows Server 2012 (64-bit)", "Debian GNU/Linux 12 (64-bit)",
             "Ubuntu 24.04 LTS", "Other Linux (64-bit)")  # fmt: skip
    return {
        text.split(" (")[0]: world.add(
            OsType(id=world.new_id("ostype"), owner=admin, created=EPOCH, description=text, category_id=category)
        )
        for text in texts
    }


def _zone(world: World, admin: Owner, name: str) -> Zone:
    zone = Zone(id=world.new_id("zone"), owner=admin, created=EPOCH, name=name, basic=name == BASIC,
                security_groups=name != ISOLATED)  # fmt: skip
    world.add(zone)
    if name == ISOLATED:
        zone.public = AddressPool("203.0.113.0/24", "203.0.113.10", PUBLIC_ADDRESSES)
        _network_offerings(world, admin)
        _isolated_network(world, zone)
        return zone
    offering = _network_offering(
        world, admin, f"{'Basic' if zone.basic else 'Advanced'}SharedOfferingWithSG", "Shared",
        (*SERVICES, "SecurityGroup"), source_nat=False,
    )  # fmt: skip
    cidr, first = ("185.19.0.0/16", "185.19.28.10") if zone.basic else ("10.20.0.0/16", "10.20.0.10")
    pool = AddressPool(cidr, first)
    network = "defaultGuestNetwork" if zone.basic else "sharedGroupNetwork"
    world.add(
        Network(id=world.new_id("network"), owner=admin, created=EPOCH, name=network, displaytext=network,
                kind="Shared", zone=zone, offering=offering, pool=pool, gateway=str(pool.network.network_address + 1),
                state="Setup", domain=f"{name.lower()}.cloud.internal", shared=True, security_groups=True)
    )  # fmt: skip
    return zone


def _network_offering(
    world: World, admin: Owner, name: str, kind: str, services: tuple[str, ...], *, required: bool = False,
    vpc: bool = False, source_nat: bool = True, egress_allowed: bool = False,
) -> NetworkOffering:  # fmt: skip
    return world.add(
        NetworkOffering(id=world.new_id("networkoffering"), owner=admin, created=EPOCH, name=name, displaytext=name,
                        kind=kind, services=services, required=required, vpc=vpc, source_nat=source_nat,
                        egress_allowed=egress_allowed)
    )  # fmt: skip


def _network_offerings(world: World, admin: Owner) -> None:
    _network_offering(world, admin, "DefaultIsolatedNetworkOfferingWithSourceNatService", "Isolated", ROUTER,
                      required=True)  # fmt: skip
    _network_offering(world, admin, "IsolatedNetworkOfferingWithEgressAllowed", "Isolated", ROUTER, egress_allowed=True)
    tier = (*SERVICES, "SourceNat", "StaticNat", "PortForwarding", "Lb", "NetworkACL")
    _network_offering(world, admin, "DefaultIsolatedNetworkOfferingForVpcNetworks", "Isolated", tier, vpc=True)
    _network_offering(world, admin, "DefaultL2NetworkOffering", "L2", (), source_nat=False)
    world.add(VpcOffering(id=world.new_id("vpcoffering"), owner=admin, created=EPOCH, name="Default VPC offering"))
    for name, text, deny in (("default_deny", "Deny All", True), ("default_allow", "Allow All", False)):
        _built_in_acl(world, admin, name, f"Default Network ACL {text}", deny)


def _built_in_acl(world: World, admin: Owner, name: str, text: str, deny: bool) -> None:
    acl = world.add(AclList(id=world.new_id("acllist"), owner=admin, created=EPOCH, name=name, description=text))
    for number, egress in ((1, False), (2, True)):
        world.add(
            AclItem(id=world.new_id("aclitem"), owner=admin, created=EPOCH, acl=acl, number=number, protocol="all",
                    egress=egress, deny=deny, cidrs=("0.0.0.0/0", "::/0"))
        )  # fmt: skip


def _isolated_network(world: World, zone: Zone) -> None:
    offering = next(one for one in world.all(NetworkOffering) if one.required)
    pool = AddressPool("10.1.1.0/24")
    world.add(
        Network(id=world.new_id("network"), owner=world.accounts["demo"], created=EPOCH, name="demo-network",
                displaytext="The demo account's isolated network", kind="Isolated", zone=zone, offering=offering,
                pool=pool, gateway="10.1.1.1", domain="demo.cloud.internal")
    )  # fmt: skip


def _template(world: World, owner: Owner, os: OsType, zones: list[Zone], name: str, text: str, gib: int) -> Template:
    return world.add(
        Template(id=world.new_id("template"), owner=owner, created=EPOCH, name=name, displaytext=text, os=os,
                 size=gib * GIB, zones=zones, public=True, featured=True, ssh_key=not name.startswith("Windows"))
    )  # fmt: skip


def _example_templates(world: World, admin: Owner, systems: dict[str, OsType], zone: Zone) -> None:
    """The 24 templates of the first zone: names repeat, and one text is a mere `50`."""
    built_in = "CentOS 5.5(64-bit) no GUI (KVM)"
    _template(world, admin, systems["CentOS 5.5"], [zone], built_in, built_in, 8).kind = "BUILTIN"
    for name, os in (("Linux CentOS 6.4 64-bit", "CentOS 6.4"), ("Linux Ubuntu 12.04 LTS 64-bit", "Ubuntu 12.04"),
                     ("Linux Ubuntu 13.04 64-bit", "Ubuntu 13.04")):  # fmt: skip
        for gib in DISK_SIZES:
            _template(world, admin, systems[os], [zone], name, f"{name} {gib}GB Disk", gib)
    name = "Windows Server 2008 R2 SP1"
    for text, gib in (("50", 50), *((f"{name} {gib}GB Disk", gib) for gib in (100, 200, 400))):
        _template(world, admin, systems["Windows Server 2008 R2"], [zone], name, text, gib).password = True
    name = "Windows Server 2012"
    for gib in (50, 200, 100, 400):
        text = f"{name} {gib}GB Disk"
        _template(world, admin, systems[name], [zone], name, text, gib).password = True


def _cloud_templates(world: World, admin: Owner, systems: dict[str, OsType], zones: list[Zone]) -> None:
    """The advanced zones' templates: in several zones, with a password, and one not ready."""
    debian = systems["Debian GNU/Linux 12"]
    both = _template(world, admin, debian, zones, "Debian 12", "Debian GNU/Linux 12 (cloud-init)", 4)
    both.cross_zones, both.dynamic = True, True
    _template(world, admin, systems["Ubuntu 24.04 LTS"], zones, "Ubuntu 24.04 LTS", "Ubuntu 24.04 LTS (cloud-init)", 5)
    _template(world, admin, debian, zones, "Debian 12 with password", "Debian GNU/Linux 12, sets a password",
              4).password = True  # fmt: skip
    unready = _template(world, world.accounts["demo"], debian, zones, "Debian 13", "Debian 13, still coming", 4)
    unready.public = unready.featured = unready.ready = False
    unready.status = "37% Downloaded"


