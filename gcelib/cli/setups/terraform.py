"""Terraform: the google provider led here, with a token from the environment."""

from __future__ import annotations

import json
import posixpath

from gcelib.cli.setups.setup import File, Setup, fill, quote, token_line

_PROVIDER = """\
terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
  }
}

# The access token is taken from GOOGLE_OAUTH_ACCESS_TOKEN.
provider "google" {
  project                 = @PROJECT@
  compute_custom_endpoint = @ENDPOINT@
}

data "google_compute_zones" "all" {
  region = var.region
}

variable "region" {
  description = "A region as `gcloud compute regions list` shows it."
  type        = string
}

output "zones" {
  value = data.google_compute_zones.all.names
}
"""


def files(setup: Setup) -> list[File]:
    """The provider's configuration, and the environment it needs."""
    environment = token_line(setup, "GOOGLE_OAUTH_ACCESS_TOKEN")
    if setup.ca_file:
        folder = quote(posixpath.dirname(setup.ca_file))
        environment += ("# A folder beside the system's, because a file would replace the system's CAs "
                        "and with them the registry's.\n"
                        f'export SSL_CERT_DIR="${{SSL_CERT_DIR:-/etc/ssl/certs}}":{folder}\n')
    text = fill(_PROVIDER, PROJECT=json.dumps(setup.project_id),
                ENDPOINT=json.dumps(f"{setup.url}/compute/v1/"))
    return [
        File("env.sh", environment, "source env.sh"),
        File("gcelib.tf", text, "terraform init && terraform plan"),
    ]
