"""Accounts, projects and their limits, as their owners see them."""

from __future__ import annotations

from gcelib.simulator.call import Call, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import command
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.quotas import used
from gcelib.simulator.records import LIMIT_KINDS, UNLIMITED, Account, Owner, Project, Row
from gcelib.simulator.world import World

# The word that listAccounts and listProjects use for each kind of limit.
WORDS = {
    "user_vm": "vm", "public_ip": "ip", "volume": "volume", "snapshot": "snapshot", "template": "template",
    "project": "project", "network": "network", "vpc": "vpc", "cpu": "cpu", "memory": "memory",
    "primary_storage": "primarystorage", "secondary_storage": "secondarystorage",
}  # fmt: skip


def limits_row(world: World, owner: Owner) -> Row:
    """<kind>limit and <kind>available as text or "Unlimited", <kind>total as a number."""
    row: Row = {}
    for kind, word in WORDS.items():
        if kind == "project" and isinstance(owner, Project):
            continue
        limit, total = owner.limits.get(kind, UNLIMITED), used(world, owner, kind)
        row[f"{word}limit"] = "Unlimited" if limit == UNLIMITED else str(limit)
        row[f"{word}total"] = total
        row[f"{word}available"] = "Unlimited" if limit == UNLIMITED else str(max(limit - total, 0))
    machines = world.owned(Machine, owner)
    row["vmrunning"] = sum(machine.state == "Running" for machine in machines)
    row["vmstopped"] = sum(machine.state == "Stopped" for machine in machines)
    return row


@command("listAccounts")
def list_accounts(call: Call) -> Row:
    """The caller's own account; every account to an administrator who asks for all."""
    everyone = call.account.admin and (call.flag("listall") or call.given("name") or call.given("id"))
    accounts = list(call.world.accounts.values()) if everyone else [call.account]
    if call.given("id"):
        accounts = [account for account in accounts if account.id == call.text("id")]
    if call.given("name"):
        accounts = [account for account in accounts if account.name.lower() == call.text("name").lower()]
    return listing(call, "account", accounts, lambda account: _account_row(call, account))


def _account_row(call: Call, account: Account) -> Row:
    domain = {"domainid": call.world.domain_id, "domain": "ROOT"}
    kind = 1 if account.admin else 0
    user = {
        "id": account.user_id, "username": account.name, "firstname": account.name, "lastname": account.name,
        "account": account.name, "accountid": account.id, "accounttype": kind, "state": "enabled", **domain,
    }  # fmt: skip
    return {
        "id": account.id,
        "name": account.name,
        "accounttype": kind,
        "rolename": "Root Admin" if account.admin else "User",
        "roletype": "Admin" if account.admin else "User",
        **domain,
        "domainpath": "ROOT",
        "state": "enabled" if account.enabled else "disabled",
        "isdefault": False,
        **limits_row(call.world, account),
        "user": [user],
        "groups": [],
    }


@command("listProjects")
def list_projects(call: Call) -> Row:
    """The projects that the caller is in; every one to an administrator who asks for all."""
    everyone = call.account.admin and call.flag("listall")
    projects = [project for project in call.world.all(Project) if everyone or call.account.name in project.members]
    rows = call.selected(projects, name="name", displaytext="displaytext", state="state")
    return listing(call, "project", rows, lambda project: _project_row(call, project))


def _project_row(call: Call, project: Project) -> Row:
    return {
        "id": project.id,
        "name": project.name,
        "displaytext": project.displaytext,
        "domainid": call.world.domain_id,
        "domain": "ROOT",
        "owner": [{"account": project.owner.name}],
        "projectaccountname": f"PrjAcct-{project.name}-1",
        "created": date_text(project.created),
        "state": project.state,
        **limits_row(call.world, project),
        "tags": tag_rows(call.world, project),
    }


@command("listResourceLimits")
def list_resource_limits(call: Call) -> Row:
    """One row for each kind of limit; -1 is unlimited."""
    rows = []
    for owner in call.seen_owners():
        whose = ownership(call.world, owner)
        for kind, number in LIMIT_KINDS.items():
            rows.append({
                **whose,
                "resourcetype": str(number),
                "resourcetypename": kind,
                "max": owner.limits.get(kind, UNLIMITED),
            })  # fmt: skip
    for parameter in ("resourcetype", "resourcetypename"):
        if call.given(parameter):
            rows = [row for row in rows if row[parameter] == call.text(parameter)]
    return listing(call, "resourcelimit", rows, lambda row: row)
