"""What introspection cannot see about providers that have no package of their own, as data."""

from __future__ import annotations

from gcelib.drivers.profile import Profile

PROFILES = (
    Profile("dummy", "Dummy", carried=True, one_driver=True, keeps_names=False),
    Profile("libvirt", "Libvirt", carried=True, one_driver=True, off_is_terminated=True, id_key="uuid",
            lacks={"nodes.destroy": "libvirt's driver switches a machine off and keeps it"}),
    Profile("digitalocean", "DigitalOcean", carried=True, zone_keys=("region",), size_keys=("size_slug",)),
    Profile("vultr", "Vultr", carried=True, size_keys=("plan",), zone_keys=("region",), image_keys=("os_id",)),
    Profile("linode", "Linode", carried=True, disk_mb=True, random={"create_node": ("root_pass",)}),
    Profile(
        "azure_arm", "Azure Resource Manager", carried=True, size_keys=("properties.hardwareProfile.vmSize",), insists={
            "": ("region",), "list_images": ("ex_publisher", "ex_offer"), "create_node": ("ex_network",),
        },
    ),
    # Without the type of its keys the driver would look for a browser to sign in with.
    Profile(
        "gce", "Google Compute Engine", carried=True, by_name=frozenset({"size"}), options={"auth_type": "SA"},
        arguments={"list_nodes": {"ex_zone": "all"}, "list_volumes": {"ex_zone": "all"}},
    ),
)
