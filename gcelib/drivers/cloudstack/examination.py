"""Looks closely at a CloudStack with one set of keys: which commands they may not use, and what limits there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import BAD_PARAMETER, PAGE, Client
from gcelib.drivers.examined import NOTE, WELL, WRONG, Remark
from gcelib.errors import Fault

NEEDED: Mapping[str, str] = {
    "see what there is": "listZones listServiceOfferings listDiskOfferings listTemplates listVirtualMachines "
    "listVolumes listNetworks queryAsyncJobResult",
    "see whose they are, and what the cloud can": "listCapabilities listAccounts listProjects",
    "make and delete machines": "deployVirtualMachine destroyVirtualMachine updateVirtualMachine",
    "start and stop machines": "startVirtualMachine stopVirtualMachine rebootVirtualMachine",
    "give a machine another type": "changeServiceForVirtualMachine",
    "give machines more interfaces": "addNicToVirtualMachine removeNicFromVirtualMachine",
    "read a machine's user data": "getVirtualMachineUserData",
    "make, enlarge and delete disks": "createVolume deleteVolume resizeVolume",
    "attach and detach disks": "attachVolume detachVolume",
    "make and delete snapshots": "createSnapshot deleteSnapshot listSnapshots",
    "make and delete images": "createTemplate registerTemplate deleteTemplate listOsTypes listHypervisors",
    "make and delete networks": "createNetwork deleteNetwork listNetworkOfferings",
    "make private clouds": "createVPC deleteVPC listVPCs listVPCOfferings createStaticRoute deleteStaticRoute "
    "listStaticRoutes createNetworkACL deleteNetworkACL listNetworkACLs createNetworkACLList deleteNetworkACLList "
    "listNetworkACLLists replaceNetworkACLList",
    "open and close firewalls": "createSecurityGroup deleteSecurityGroup listSecurityGroups "
    "authorizeSecurityGroupIngress authorizeSecurityGroupEgress revokeSecurityGroupIngress revokeSecurityGroupEgress "
    "createFirewallRule "
    "deleteFirewallRule listFirewallRules createEgressFirewallRule deleteEgressFirewallRule listEgressFirewallRules",
    "reserve addresses": "associateIpAddress disassociateIpAddress listPublicIpAddresses enableStaticNat "
    "disableStaticNat",
    "balance loads": "createLoadBalancerRule deleteLoadBalancerRule updateLoadBalancerRule assignToLoadBalancerRule "
    "removeFromLoadBalancerRule listLoadBalancerRules listLoadBalancerRuleInstances",
    "register SSH keys": "registerSSHKeyPair listSSHKeyPairs",
    "keep labels and descriptions": "createTags deleteTags listTags",
}
"""What people do -> the commands that gcelib may use for it."""
FIRST = "see what there is"
"""Without this nothing goes at all."""


def examine(client: Client) -> Iterator[Remark]:
    """Everything worth knowing. Raises Faults when the cloud does not answer."""
    yield from _rights(client)
    told = client.capabilities()
    yield Remark(WELL, f"CloudStack {told.cloudstackversion or 'of a version that it does not tell'}.")
    if not told.allowuserexpungerecovervm:
        yield Remark(NOTE, "These keys may not expunge: a machine that is deleted keeps its host name on the cloud "
                     "until that purges it. gcelib renames it first, so that the name is free at once.",
                     "For its disks to go at once, too, the cloud's operator sets allow.user.expunge.recover.vm.")
    yield from _pages(client)
    if told.apilimitmax:
        yield Remark(NOTE, f"It takes {told.apilimitmax} calls in {told.apilimitinterval} s from these keys.",
                     f"per_second = {max(1, told.apilimitmax // max(1, told.apilimitinterval))} under "
                     f"[clouds.{client.at.cloud}] keeps gcelib within that.")


def _rights(client: Client) -> Iterator[Remark]:
    try:
        found = client.read("listApis")
        rows, _ = wire.rows(found, "api", records.ApiRow)
    except (Fault, faults.Garbled) as error:
        words = error.message if isinstance(error, Fault) else error.what
        yield Remark(NOTE, f"It does not tell which commands these keys may use: {words}",
                     "What they may not do is refused when it is tried.")
        return
    allowed = {row.name.casefold() for row in rows}
    lacking = {what: [command for command in named.split() if command.casefold() not in allowed]
               for what, named in NEEDED.items()}
    if not any(lacking.values()):
        yield Remark(WELL, "These keys may use every command that gcelib needs.")
    for what, commands in lacking.items():
        if not commands:
            continue
        yield Remark(
            WRONG if what == FIRST else NOTE,
            f"These keys may not {what}, or only in part: the cloud does not let them use {', '.join(commands)}.",
            "Have the cloud's operator add to the role of this account what is wanted; the rest is refused in words.")


def _pages(client: Client) -> Iterator[Remark]:
    try:
        client.read("listTemplates", templatefilter="executable", page=1, pagesize=PAGE)
    except Fault as fault:
        if faults.cloud_code(fault) != BAD_PARAMETER:
            raise
        yield Remark(NOTE, f"It refuses pages of {PAGE} rows ({fault.message}), so that long lists take more calls.",
                     f"The cloud's operator sets default.page.size to {PAGE}; gcelib goes on with smaller pages.")
    else:
        yield Remark(WELL, f"It gives pages of {PAGE} rows.")
