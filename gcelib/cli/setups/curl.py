"""curl: a token and one request."""

from __future__ import annotations

from gcelib.cli.setups.setup import File, Setup, quote, token_line


def files(setup: Setup) -> list[File]:
    """Shell lines that fetch a token and list the zones."""
    authority = f"--cacert {quote(setup.ca_file)} " if setup.ca_file else ""
    url = quote(f"{setup.url}/compute/v1/projects/{setup.project}/zones")
    text = (
        "# The token is good for an hour; run the line again for a new one.\n"
        + token_line(setup, "GCELIB_TOKEN")
        + f'curl -sS {authority}-H "Authorization: Bearer $GCELIB_TOKEN" {url}\n'
    )
    return [File("curl.sh", text, "sh curl.sh")]
