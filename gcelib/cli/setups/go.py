"""Google's library for Go: a client that ends up here, with the key file's account and this server's CA."""

from __future__ import annotations

import json

from gcelib.cli.setups.setup import File, Setup, fill, key_hint, quote, token_line

_PROGRAM = """\
// Compute Engine through gcelib with Google's library: go get google.golang.org/api/compute/v1
package main

import (
	"context"
	"fmt"
@OS@
@OAUTH@	"google.golang.org/api/compute/v1"
	"google.golang.org/api/option"
)

const project = @PROJECT@

func main() {
	ctx := context.Background()
	service, err := compute.NewService(ctx,
		option.WithEndpoint(@ENDPOINT@),
		@CREDENTIALS@,
	)
	if err != nil {
		log.Fatal(err)
	}
	err = service.Zones.List(project).Pages(ctx, func(page *compute.ZoneList) error {
		for _, zone := range page.Items {
			fmt.Println(zone.Name, zone.Status)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}
"""

_TOKEN = """\
option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{
			AccessToken: os.Getenv("GCELIB_TOKEN"),
		}))"""


def files(setup: Setup) -> list[File]:
    """The program, and the environment it needs."""
    own = setup.own_keys
    text = fill(
        _PROGRAM, PROJECT=json.dumps(setup.project), ENDPOINT=json.dumps(f"{setup.url}/compute/v1/"),
        OS='\t"log"\n\t"os"\n' if own else '\t"log"\n', OAUTH='\t"golang.org/x/oauth2"\n' if own else "",
        CREDENTIALS=_TOKEN if own else f"option.WithCredentialsFile({json.dumps(setup.key_path)})",
    )
    environment = token_line(setup, "GCELIB_TOKEN") if own else key_hint(setup)
    if setup.ca_file:
        environment += ("# In place of the CAs that this machine trusts, not beside them.\n"
                        f"export SSL_CERT_FILE={quote(setup.ca_file)}\n")
    program = File("zones.go", text, "go run zones.go")
    return [File("env.sh", environment, "source env.sh"), program] if environment else [program]
