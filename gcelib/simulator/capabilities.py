"""What the management server says about itself, its zones and its offerings."""

from __future__ import annotations

from typing import Any

from gcelib.simulator import commands
from gcelib.simulator.call import Call, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Parameter, command
from gcelib.simulator.errors import unsupported
from gcelib.simulator.hardware import DiskOffering, OsType, ServiceOffering
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Zone
from gcelib.simulator.records import Row

VERSION = "4.22.0.0"


@command("listCapabilities")
def list_capabilities(call: Call) -> Row:
    """The server's flags."""
    settings = call.world.settings
    shown: Row = {
        "securitygroupsenabled": any(zone.security_groups for zone in call.world.all(Zone)),
        "dynamicrolesenabled": True,
        "cloudstackversion": VERSION,
        "userpublictemplateenabled": settings.public_templates,
        "supportELB": "false",
        "projectinviterequired": False,
        "allowusercreateprojects": False,
        "customdiskofferingminsize": 1,
        "customdiskofferingmaxsize": 1024,
        "regionsecondaryenabled": False,
        "kvmsnapshotenabled": True,
        "allowuserviewdestroyedvm": settings.user_sees_destroyed,
        "allowuserexpungerecovervm": settings.user_may_expunge,
        "allowuserexpungerecovervolume": settings.user_may_expunge,
        "allowuserviewalldomainaccounts": False,
        "allowuserforcestopvm": settings.force_stop,
        "kubernetesserviceenabled": False,
        "defaultuipagesize": 20,
        "instancesstatsretentiontime": 720,
        "dynamicscalingenabled": settings.dynamic_scaling,
    }
    if settings.throttle:
        shown |= {"apilimitinterval": 1, "apilimitmax": settings.throttle}
    return {"capability": shown}


@command("getApiLimit")
def get_api_limit(call: Call) -> Row:
    """How much of the rate limit is left; refused where there is none."""
    if not call.world.settings.throttle:
        raise unsupported("api.throttling.enabled is false: there is no limit to show")
    limit = call.world.settings.throttle
    return {"apilimit": {"account": call.account.name, "apiIssued": 0, "apiAllowed": limit, "expireAfter": 1000}}


@command("listApis")
def list_apis(call: Call) -> Row:
    """The commands that are simulated and open to the caller."""
    simulated, _ = commands.load()
    wanted = call.text("name")
    rows = [entry for entry in simulated.values() if wanted in ("", entry.name)]
    rows = [entry for entry in rows if entry.name not in call.account.denied]
    found = [
        {
            "name": entry.name,
            "isasync": entry.mode != "sync",
            "params": [_parameter_row(parameter) for parameter in entry.parameters.values()],
        }
        for entry in rows
    ]
    return {"count": len(found), "api": found} if found else {}


def _parameter_row(parameter: Parameter) -> Row:
    return {"name": parameter.name, "type": parameter.type, "required": parameter.required, "length": parameter.longest}


@command("listZones")
def list_zones(call: Call) -> Row:
    """The zones that are open, or all of them to administrators."""
    zones = [zone for zone in call.world.all(Zone) if zone.enabled or call.account.admin]
    rows = call.selected(zones, name="name")
    if call.given("networktype"):
        rows = [zone for zone in rows if _network_type(zone).lower() == call.text("networktype").lower()]
    return listing(call, "zone", rows, lambda zone: _zone_row(call, zone))


def _network_type(zone: Zone) -> str:
    return "Basic" if zone.basic else "Advanced"


def _zone_row(call: Call, zone: Zone) -> Row:
    row: Row = {
        "id": zone.id,
        "name": zone.name,
        "networktype": _network_type(zone),
        "securitygroupsenabled": zone.security_groups,
        "allocationstate": "Enabled" if zone.enabled else "Disabled",
        "zonetoken": zone.id.replace("-", "")[:16],
        "dhcpprovider": "VirtualRouter",
        "localstorageenabled": True,
        "dns1": "9.9.9.9",
        "type": "Core",
        "tags": tag_rows(call.world, zone),
    }
    if not zone.basic:
        row["guestcidraddress"] = "10.1.1.0/24"
    return row


@command("listRegions")
def list_regions(call: Call) -> Row:
    """The one region, as nearly every installation has."""
    regions = [{"id": 1, "name": "Local", "endpoint": "http://localhost:8080/client/", "gslbserviceenabled": False}]
    wanted = call.number("id")
    rows = [row for row in regions if wanted in (None, row["id"]) and call.text("name", "Local") == row["name"]]
    return listing(call, "region", rows, lambda row: row)


@command("listHypervisors")
def list_hypervisors(call: Call) -> Row:
    """Every zone runs KVM."""
    return {"count": 1, "hypervisor": [{"name": "KVM"}]}


@command("listOsTypes")
def list_os_types(call: Call) -> Row:
    """The guest operating systems."""
    rows = call.selected(call.world.all(OsType), description="description", oscategoryid="category_id")

    def show(os: OsType) -> Row:
        return {"id": os.id, "description": os.description, "oscategoryid": os.category_id, "isuserdefined": False}

    return listing(call, "ostype", rows, show)


@command("listIsos")
def list_isos(call: Call) -> Row:
    """There are none."""
    return {}


@command("listServiceOfferings")
def list_service_offerings(call: Call) -> Row:
    """The sizes; system offerings are the administrators' and there are none."""
    if call.flag("issystem"):
        return {}
    rows = [offering for offering in call.world.all(ServiceOffering) if _fits(call, offering)]
    call.params.pop("zoneid", None)  # Offerings stand in every zone.
    return listing(call, "serviceoffering", call.selected(rows, name="name"), service_offering_row)


def _fits(call: Call, offering: ServiceOffering) -> bool:
    wanted = (("cpunumber", offering.cpus), ("memory", offering.memory), ("cpuspeed", offering.speed))
    return all(not call.given(name) or value == call.number(name) for name, value in wanted)


def service_offering_row(offering: ServiceOffering) -> Row:
    """A size as listServiceOfferings shows it; a custom one lacks what the caller chooses."""
    row: Row = {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.displaytext,
        "created": date_text(offering.created),
        "storagetype": "shared",
        "provisioningtype": "thin",
        "offerha": False,
        "limitcpuuse": False,
        "isvolatile": False,
        "issystem": False,
        "defaultuse": False,
        "iscustomized": offering.cpus is None,
        "iscustomizediops": False,
        "rootdisksize": offering.root_gib,
        "dynamicscalingenabled": True,
        "cacheMode": "none",
        "hasannotation": False,
    }
    fixed = {"cpunumber": offering.cpus, "cpuspeed": offering.speed, "memory": offering.memory}
    row |= {name: value for name, value in fixed.items() if value is not None}
    if offering.bounds is not None:
        names = ("mincpunumber", "maxcpunumber", "minmemory", "maxmemory")
        row["serviceofferingdetails"] = dict(zip(names, map(str, offering.bounds), strict=True))
    return row


@command("listDiskOfferings")
def list_disk_offerings(call: Call) -> Row:
    """The kinds of disk."""
    call.params.pop("zoneid", None)

    def show(offering: DiskOffering) -> dict[str, Any]:
        return {
            "id": offering.id,
            "name": offering.name,
            "displaytext": offering.displaytext,
            "disksize": offering.gib,
            "created": date_text(offering.created),
            "iscustomized": offering.gib == 0,
            "iscustomizediops": False,
            "storagetype": "shared",
            "provisioningtype": "thin",
            "displayoffering": True,
            "hasannotation": False,
            **({"zoneid": ",".join(zone.id for zone in offering.zones)} if offering.zones else {}),
        }

    return listing(call, "diskoffering", call.selected(call.world.all(DiskOffering), name="name"), show)
