"""Google's library for Node.js: a client that ends up here, with a token from the environment."""

from __future__ import annotations

import json

from gcelib.cli.setups.setup import File, Setup, fill, quote, token_line

_SCRIPT = """\
// Compute Engine through gcelib with Google's library: npm install @google-cloud/compute google-auth-library
const compute = require('@google-cloud/compute');
const {GoogleAuth, OAuth2Client} = require('google-auth-library');

const project = @PROJECT@;
const authClient = new OAuth2Client();
authClient.setCredentials({access_token: process.env.GCELIB_TOKEN});
const options = {
  fallback: true,
  auth: new GoogleAuth({authClient}),
  apiEndpoint: @HOST@,
  port: @PORT@,
  protocol: @SCHEME@,
  projectId: project,
};

async function main() {
  const zones = new compute.ZonesClient(options);
  for await (const zone of zones.listAsync({project})) console.log(zone.name, zone.status);
}

main().catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
"""


def files(setup: Setup) -> list[File]:
    """The script, and the environment it needs."""
    host = setup.netloc.rpartition(":")[0]
    text = fill(_SCRIPT, PROJECT=json.dumps(setup.project), HOST=json.dumps(host), PORT=str(setup.port),
                SCHEME=json.dumps("https" if setup.secure else "http"))
    environment = token_line(setup, "GCELIB_TOKEN")
    if setup.ca_file:
        environment += f"export NODE_EXTRA_CA_CERTS={quote(setup.ca_file)}\n"
    return [
        File("env.sh", environment, "source env.sh"),
        File("zones.js", text, "node zones.js"),
    ]
