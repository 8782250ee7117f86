"""gcloud: exports that lead its compute commands here, with a folder of their own for its settings."""

from __future__ import annotations

from gcelib.cli.setups.setup import File, Setup, fill, key_hint, quote

_COMMON = """\
# A folder of its own, so that gcloud's settings for Google's cloud stay as they are.
export CLOUDSDK_CONFIG=@FOLDER@
export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=@ENDPOINT@
export CLOUDSDK_CORE_PROJECT=@PROJECT@
export CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1
export CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1
export CLOUDSDK_SURVEY_DISABLE_PROMPTS=1
export CLOUDSDK_CORE_CHECK_GCE_METADATA=false
"""

_AUTHORITY = """\
export CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=@CA@
# These two win over gcloud's own setting where they are set.
[ -z "${REQUESTS_CA_BUNDLE:-}" ] || export REQUESTS_CA_BUNDLE=@CA@
[ -z "${CURL_CA_BUNDLE:-}" ] || export CURL_CA_BUNDLE=@CA@
"""

_KEY = """\
@COMMENT@gcloud auth activate-service-account --key-file=@KEY@
"""

_LOGIN = """\
export CLOUDSDK_AUTH_AUTH_HOST=@URL@/oauth2/auth
export CLOUDSDK_AUTH_TOKEN_HOST=@URL@/oauth2/token
export CLOUDSDK_AUTH_CLIENT_ID=gcloud
export CLOUDSDK_AUTH_CLIENT_SECRET=gcloud
# Log in once, @ACCOUNT@: gcloud auth login --no-launch-browser
"""


def files(setup: Setup) -> list[File]:
    """A script to be read by the shell; it logs in with the key file, or prepares the log-in of a person."""
    text = fill(_COMMON, FOLDER=quote(f"{setup.folder}/gcloud"), PROJECT=quote(setup.project_id),
                ENDPOINT=quote(f"{setup.url}/compute/v1/"))
    if setup.ca_file:
        text += fill(_AUTHORITY, CA=quote(setup.ca_file))
    if setup.own_keys or (setup.account and not setup.key_file):
        who = "on the page with your own keys to the cloud" if setup.own_keys else f"as {setup.account}"
        text += fill(_LOGIN, URL=setup.url, ACCOUNT=who)
        text += "" if setup.secure else "export OAUTHLIB_INSECURE_TRANSPORT=1\n"
    else:
        # Without a key file yet there is nothing to log in with, only the line to type later.
        comment = "" if setup.key_file else "# "
        text += key_hint(setup) + fill(_KEY, KEY=quote(setup.key_path), COMMENT=comment)
    return [File("gcloud.sh", text, "source gcloud.sh; gcloud compute zones list")]
