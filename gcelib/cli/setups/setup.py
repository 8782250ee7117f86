"""The facts that every client's set-up is made from, and the shell lines that several of them share."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the server is and who the client is.

    `url` has no slash at the end. `project` is the name as gcelib has it, `project_id` the id-like one that
    gcloud takes. `ca_file` is "" when the certificate is of a public CA or there is no TLS, `key_file` ""
    when none was named.
    `own_keys`: the project is its callers' own, who bring their keys to its cloud. `folder` is where the client may
    keep its own files. `program` runs gcelib. `named` is the configuration of gcloud's to be made, "" for none.
    """

    url: str
    project: str
    project_id: str
    program: str
    folder: str
    ca_file: str = ""
    key_file: str = ""
    account: str = ""
    own_keys: bool = False
    named: str = ""

    @property
    def secure(self) -> bool:
        """Whether clients use TLS."""
        return self.url.startswith("https:")

    @property
    def netloc(self) -> str:
        """host:port, the port always there."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{self.port}"

    @property
    def port(self) -> int:
        """The port, the scheme's own where the URL names none."""
        return urlsplit(self.url).port or (443 if self.secure else 80)

    @property
    def key_path(self) -> str:
        """The key file, or a name for the one still to be made."""
        return self.key_file or f"{self.account or 'me'}.json"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a set-up, and in a few words what to do with it."""

    name: str
    text: str
    use: str


def fill(template: str, **values: str) -> str:
    """The template with each @NAME@ replaced; braces, dollars and percents stay as they are."""
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], template)


def quote(text: str) -> str:
    """The text as one word of the shell."""
    return shlex.quote(text)


def key_hint(setup: Setup) -> str:
    """A comment that says how to get the key file, when none was named."""
    if setup.own_keys:
        return (f"# {setup.project} is its callers' own: CLOUD_API_KEY and CLOUD_SECRET_KEY hold your keys to its "
                "cloud,\n# with the cloud's name and a colon before the key where there are several.\n")
    if setup.key_file:
        return ""
    name = setup.account or "me"
    return (f"# The key file is made by: {setup.program} account create-service {name} "
            f"--project {quote(setup.project)} --role operator --key-file {quote(setup.key_path)}\n")


def token_line(setup: Setup, variable: str) -> str:
    """The shell line that puts a fresh access token, good for an hour, into a variable."""
    authority = f" --ca-file {quote(setup.ca_file)}" if setup.ca_file else ""
    way = f"--project {quote(setup.project)}" if setup.own_keys else f"--key-file {quote(setup.key_path)}"
    command = f"{setup.program} client token {way}{authority}"
    return f'{key_hint(setup)}export {variable}="$({command})"\n'
