"""OpenStack: Nova, Neutron, Cinder and Glance behind a Keystone v3, through libcloud's connections to them."""
