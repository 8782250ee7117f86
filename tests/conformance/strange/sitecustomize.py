"""Read by Python at its start when this folder is on its path: makes the strange drivers some of libcloud's."""

from libcloud.compute.providers import set_driver

for name, kind in (("strange", "Strange"), ("open", "Open"), ("needy", "Needy"), ("sullen", "Sullen"),
                   ("crowded", "Crowded")):
    set_driver(name, "strange_drivers", f"{kind}NodeDriver")
