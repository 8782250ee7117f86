"""Read by Python at its start when this folder is on its path: makes the untold driver one of libcloud's."""

from libcloud.compute.providers import set_driver

set_driver("untold", "untold_driver", "UntoldNodeDriver")
