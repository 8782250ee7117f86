"""gcutil: a shell function with the flags it needs, and the CA where its HTTP library looks for it."""

from __future__ import annotations

from gcelib.cli.setups.setup import File, Setup, fill, quote

_LOCATER = '''\
"""Tells gcutil's HTTP library which CA to trust."""


def get():
    return @CA@
'''

_PATH = """\
mkdir -p @FOLDER@
cat > @FOLDER@/ca_certs_locater.py <<'END'
@LOCATER@END
"""

_FUNCTION = """\
# gcutil itself is found on PATH, or where GCUTIL says.
gcutil() {
  @PREFIX@command "${GCUTIL:-gcutil}" --api_host=@URL@/ \\
    --authorization_uri_base=@URL@/oauth2 --auth_service_account= \\
    --credentials_file=@FOLDER@/credentials --cached_flags_file=/dev/null \\
    --nocheck_for_new_version --norequire_tty --project=@PROJECT@ "$@"
}
# Log in once@ACCOUNT@: gcutil auth --noconfirm_email
# then, for example: gcutil listinstances
"""


def files(setup: Setup) -> list[File]:
    """A script to be read by the shell."""
    folder = quote(f"{setup.folder}/gcutil")
    text = f"mkdir -p {folder}\n"
    prefix = ""
    if setup.ca_file:
        text = fill(_PATH, FOLDER=folder, LOCATER=fill(_LOCATER, CA=repr(setup.ca_file)))
        prefix = f'PYTHONPATH={folder}"${{PYTHONPATH:+:$PYTHONPATH}}" '
    text += fill(_FUNCTION, PREFIX=prefix, URL=setup.url, FOLDER=folder, PROJECT=quote(setup.project),
                 ACCOUNT=_who(setup))
    return [File("gcutil.sh", text, "source gcutil.sh; gcutil auth --noconfirm_email; gcutil listzones")]


def _who(setup: Setup) -> str:
    if setup.own_keys:
        return ", on the page with your own keys to the cloud"
    return f" as {setup.account}" if setup.account else ""
