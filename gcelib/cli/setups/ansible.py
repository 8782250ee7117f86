"""Ansible: the google.cloud collection has Google's address built in, so its requests are led here."""

from __future__ import annotations

import json

from gcelib.cli.setups.setup import File, Setup, fill, quote, token_line

_LEAD = '''\
"""Leads requests for Google's compute addresses to gcelib; Python reads this file when it starts."""

import re
from urllib.parse import urlsplit

try:
    from requests import Session
except ImportError:
    pass
else:
    HERE = @URL@
    HOSTS = ("compute.googleapis.com", "www.googleapis.com")
    DISK_TYPE = re.compile(rb'//www(\\.googleapis\\.com/compute/v1/[^\\s"]*/diskTypes/)')
    original = Session.request

    def request(self, method, url, *args, **kwargs):
        parts = urlsplit(str(url))
        if parts.hostname not in HOSTS or not parts.path.startswith("/compute/"):
            return original(self, method, url, *args, **kwargs)
        answer = original(self, method, HERE + str(url).split(parts.netloc, 1)[1], *args, **kwargs)
        # The modules compare links as text: those of disk types by one of Google's names, all others by the other.
        links = answer.content.replace(f"{HERE}/compute/".encode(), b"https://www.googleapis.com/compute/")
        answer._content = DISK_TYPE.sub(rb"//compute\\1", links)
        return answer

    Session.request = request
'''

_PLAYBOOK = """\
# ansible-galaxy collection install google.cloud
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: List the machines of a zone
      google.cloud.gcp_compute_instance_info:
        project: @PROJECT@
        zone: "{{ zone }}"
        auth_kind: accesstoken
        access_token: "{{ lookup('env', 'GCELIB_TOKEN') }}"
        scopes: ["https://www.googleapis.com/auth/compute"]
      register: found
    - name: Show their names
      ansible.builtin.debug:
        msg: "{{ found.resources | map(attribute='name') | list }}"
"""


def files(setup: Setup) -> list[File]:
    """The playbook, the environment it needs, and the file that leads requests here."""
    folder = quote(f"{setup.folder}/ansible")
    lead = fill(_LEAD, URL=repr(setup.url))
    environment = token_line(setup, "GCELIB_TOKEN")
    if setup.ca_file:
        environment += f"export REQUESTS_CA_BUNDLE={quote(setup.ca_file)}\n"
    environment += (f"mkdir -p {folder}\ncat > {folder}/sitecustomize.py <<'END'\n{lead}END\n"
                    f'export PYTHONPATH={folder}"${{PYTHONPATH:+:$PYTHONPATH}}"\n')
    playbook = fill(_PLAYBOOK, PROJECT=json.dumps(setup.project))
    return [
        File("env.sh", environment, "source env.sh"),
        File("instances.yml", playbook, "ansible-playbook -e zone=ZONE instances.yml"),
    ]
