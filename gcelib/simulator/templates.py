"""Templates: one row for each zone they are in."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, forbidden, invalid
from gcelib.simulator.hardware import GIB, Machine, OsType, Snapshot, Template, Volume
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Owner, Row

FILTERS = ("featured", "self", "selfexecutable", "shared", "sharedexecutable", "executable", "community", "all")
SUFFIXES = {"qcow2": "QCOW2", "raw": "RAW", "img": "RAW", "vhd": "VHD", "ova": "OVA"}
DOWNLOAD_SECONDS = 5.0


@command("listTemplates")
def list_templates(call: Call) -> Row:
    """The templates that a filter lets through, one row for each zone."""
    templates = call.selected(_filtered(call), name="name")
    if call.given("hypervisor") and call.text("hypervisor").upper() != "KVM":
        return {}
    rows = [(template, zone) for template in templates for zone in template.zones
            if call.text("zoneid") in ("", zone.id)]  # fmt: skip
    if call.flag("showunique"):
        rows = [(template, template.zones[0]) for template in templates]
    return listing(call, "template", rows, lambda row: template_row(call, *row))


def may_use(call: Call, template: Template) -> bool:
    """Whether the caller may see a template and make machines of it: a public one, an own one, or one lent to them."""
    return template.public or any(call.may_touch(owner) for owner in (template.owner, *template.lent))


def _filtered(call: Call) -> Iterable[Template]:
    wanted = call.text("templatefilter").lower()
    if wanted not in FILTERS:
        raise invalid(f"Unknown template filter {wanted}")
    if call.given("id"):
        # QueryManagerImpl.searchForTemplatesInternal: an id is all that counts then, and what is another's is refused.
        named = [template for template in call.world.all(Template) if template.id == call.text("id")]
        if not all(may_use(call, template) for template in named):
            raise forbidden(f"{call.account.name} does not have permission to operate with {call.text('id')}")
        return named
    owners = call.seen_owners()

    def mine(template: Template) -> bool:
        return template.owner in owners

    everything = call.world.all(Template)
    match wanted:
        case "featured":
            return [template for template in everything if template.public and template.featured]
        case "community":
            return [template for template in everything if template.public and not template.featured]
        case "self":
            return [template for template in everything if mine(template)]
        case "selfexecutable":
            return [template for template in everything if mine(template) and template.ready]
        case "executable":
            return [template for template in everything if template.ready and (template.public or mine(template))]
        case "shared" | "sharedexecutable":
            return [template for template in everything if any(owner in owners for owner in template.lent)
                    and (template.ready or wanted == "shared")]  # fmt: skip
        case "all":
            if not call.account.admin:
                raise invalid("Only administrators may use the template filter all")
            return everything
    return []


def template_row(call: Call, template: Template, zone: Zone) -> Row:
    """A template as one zone's row."""
    return {
        "id": template.id,
        "name": template.name,
        "displaytext": template.displaytext,
        "ispublic": template.public,
        "created": date_text(template.created),
        "isready": template.ready,
        "passwordenabled": template.password,
        "sshkeyenabled": template.ssh_key,
        "format": template.format,
        "isfeatured": template.featured,
        "crossZones": template.cross_zones,
        "ostypeid": template.os.id,
        "ostypename": template.os.description,
        **ownership(call.world, template.owner),
        "zoneid": zone.id,
        "zonename": zone.name,
        "status": template.status,
        **({"size": template.size, "physicalsize": template.size // 4} if template.ready else {}),
        "templatetype": template.kind,
        "hypervisor": "KVM",
        "isextractable": False,
        "details": dict(template.details),
        "tags": tag_rows(call.world, template),
        "isdynamicallyscalable": template.dynamic,
        "directdownload": False,
        "bootable": True,
        "hasannotation": False,
        **({"url": template.url} if template.url else {}),
        **job_fields(template),
    }


def _new(call: Call, size: int, zones: list[Zone], os: OsType) -> Template:
    owner = call.owner()
    demand(call.world, owner, "template")
    public = call.flag("ispublic")
    if public and not (call.world.settings.public_templates or call.account.admin):
        raise forbidden("Only private templates and ISOs can be created")
    return Template(
        id=call.world.new_id("template"), owner=owner, created=call.world.now(), name=call.text("name"),
        displaytext=call.text("displaytext", call.text("name")), os=os, size=size, zones=zones, public=public,
        featured=call.flag("isfeatured") and call.account.admin, ready=False, status="Creating",
        password=call.flag("passwordenabled"), ssh_key=call.flag("sshkeyenabled"), url=call.text("url"),
        dynamic=call.flag("isdynamicallyscalable"), details=call.pairs("details"),
    )  # fmt: skip


@command("createTemplate", seconds=5)
def create_template(call: Call) -> Task:
    """Make a template of a snapshot or of a stopped machine's disk."""
    os = call.shared(OsType, "ostypeid")
    if call.given("volumeid") == call.given("snapshotid"):
        raise invalid("Please provide either a volume id or a snapshot id, and not both")
    if call.given("snapshotid"):
        snapshot = call.find(Snapshot, "snapshotid")
        if snapshot.state != "BackedUp":
            raise invalid(f"Snapshot {snapshot.id} is not BackedUp but {snapshot.state}")
        size, zone = snapshot.size, snapshot.zone
    else:
        volume = call.find(Volume, "volumeid")
        if volume.state != "Ready":
            raise invalid(f"Volume {volume.id} is not Ready but {volume.state}")
        if volume.machine is not None and volume.machine.state != "Stopped":
            raise invalid(f"The machine of volume {volume.id} must be stopped before a template is made of it")
        size, zone = volume.size, volume.zone
    template = call.world.add(_new(call, size, [zone], os))

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            call.world.remove(template)
            raise
        template.ready, template.status = True, "Download Complete"
        return {"template": template_row(call, template, zone)}

    return Task(body=body(), on=template, event="TEMPLATE.CREATE")


@command("registerTemplate")
def register_template(call: Call) -> Row:
    """Enter a template that the cloud downloads in the background: poll isready."""
    address = urlsplit(call.text("url"))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise invalid("Only http and https urls are supported")
    kind = call.text("format").upper()
    plain = address.path.lower().removesuffix(".gz").removesuffix(".bz2").removesuffix(".zip").removesuffix(".xz")
    if SUFFIXES.get(plain.rsplit(".", 1)[-1]) != kind:
        raise invalid(f"The url does not end as a template of format {kind} does")
    if call.text("zoneid") == "-1" and not call.account.admin:
        raise forbidden("Only administrators may register templates for all zones")
    zones = _chosen_zones(call)
    template = _new(call, 8 * GIB, zones, _any_os(call))
    template.format, template.status = kind, "0% Downloaded"
    world = call.world
    world.add(template)

    def downloaded() -> None:
        template.ready, template.status = True, "Download Complete"

    delay = world.settings.job_delay
    world.at(world.now() + (DOWNLOAD_SECONDS if delay is None else delay), downloaded)
    return {"count": len(zones), "template": [template_row(call, template, zone) for zone in zones]}


def _any_os(call: Call) -> OsType:
    return call.shared(OsType, "ostypeid") if call.given("ostypeid") else call.world.all(OsType)[0]


def _chosen_zones(call: Call) -> list[Zone]:
    ids = call.items("zoneids") or call.items("zoneid")
    if ids == ["-1"]:
        return call.world.all(Zone)
    found = [zone for zone in call.world.all(Zone) if zone.id in ids]
    if not found:
        raise invalid("Please specify a zoneid or zoneids")
    return found


@command("updateTemplate")
def update_template(call: Call) -> Row:
    """Change what a template says of itself."""
    template = call.find(Template, "id")
    template.name = call.text("name", template.name)
    template.displaytext = call.text("displaytext", template.displaytext)
    template.password = call.flag("passwordenabled", template.password)
    template.ssh_key = call.flag("sshkeyenabled", template.ssh_key)
    if call.given("ostypeid"):
        template.os = call.shared(OsType, "ostypeid")
    if call.flag("cleanupdetails"):
        template.details = {}
    elif call.pairs("details"):
        template.details = call.pairs("details")
    return {"template": template_row(call, template, template.zones[0])}


@command("updateTemplatePermissions")
def update_permissions(call: Call) -> Row:
    """Lend a template to accounts and projects, or to nobody any more; or make it public or not."""
    template = call.find(Template, "id")
    named: list[Owner] = [call.project(id) for id in call.items("projectids")]
    for name in call.items("accounts"):
        if name not in call.world.accounts:
            raise invalid(f"Unable to grant a launch permission to account {name}, account not found")
        named.append(call.world.accounts[name])
    match call.text("op").lower():
        case "add" | "remove" if not named:
            raise invalid(f"Operation {call.text('op')} requires accounts or projectIds to be passed in")
        case "add":
            template.lent += [owner for owner in named if owner not in template.lent]
        case "remove":
            template.lent = [owner for owner in template.lent if owner not in named]
        case "reset":
            template.lent, template.public, template.featured = [], False, False
        case "":
            template.public = call.flag("ispublic", template.public)
            template.featured = call.flag("isfeatured", template.featured)
        case other:
            raise invalid(f"Invalid operation on templates' permissions: {other}")
    return {"success": True}


@command("deleteTemplate", seconds=1)
def delete_template(call: Call) -> Task:
    """Delete a template; machines made of it hold it until they are expunged, unless forced."""
    template = call.find(Template, "id")
    users = [machine for machine in call.world.all(Machine) if machine.template is template
             and call.text("zoneid") in ("", machine.zone.id)]  # fmt: skip
    if users and not call.flag("forced"):
        raise invalid(f"Unable to delete template {template.id}: it is in use by {len(users)} virtual machines")

    def body() -> Body:
        yield 1.0
        template.zones = [zone for zone in template.zones if call.text("zoneid") not in ("", zone.id)]
        if not template.zones:
            call.world.remove(template)
        return {"success": True}

    return Task(body=body(), on=template, event="TEMPLATE.DELETE")
