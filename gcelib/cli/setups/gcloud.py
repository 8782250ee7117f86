"""gcloud: exports that lead its compute commands here, with a folder of their own for its settings; or one of its named
configurations."""

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

_NAMED = """\
# A configuration of gcloud's beside those for Google's cloud, which stay as they are. It is there in every shell:
#   gcloud --configuration=@NAME@ compute zones list
# What a shell has as CLOUDSDK_..., as other set-ups of gcelib's make it, wins over it.
mkdir -p "${CLOUDSDK_CONFIG:-$HOME/.config/gcloud}"/configurations
cat > "${CLOUDSDK_CONFIG:-$HOME/.config/gcloud}"/configurations/config_@NAME@ <<'END'
[core]
project = @PROJECT@
disable_usage_reporting = true
check_gce_metadata = false
@AUTHORITY@[api_endpoint_overrides]
compute = @URL@/compute/v1/
[component_manager]
disable_update_check = true
[survey]
disable_prompts = true
@LOGIN@END
"""

_NAMED_LOGIN = """\
[auth]
auth_host = @URL@/oauth2/auth
token_host = @URL@/oauth2/token
client_id = gcloud
client_secret = gcloud
"""

_WINS = """\
# Where one of these variables is set, it wins over the configuration; here it must not.
"""
_WITHOUT = "env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE gcloud"


def files(setup: Setup) -> list[File]:
    """A script to be read by the shell; it logs in with the key file, or prepares the log-in of a person."""
    if setup.named:
        return [File("configuration.sh", _configuration(setup), f"sh configuration.sh; gcloud --configuration="
                     f"{setup.named} compute zones list")]
    text = fill(_COMMON, FOLDER=quote(f"{setup.folder}/gcloud"), PROJECT=quote(setup.project_id),
                ENDPOINT=quote(f"{setup.url}/compute/v1/"))
    if setup.ca_file:
        text += fill(_AUTHORITY, CA=quote(setup.ca_file))
    if _person(setup):
        text += fill(_LOGIN, URL=setup.url, ACCOUNT=_who(setup))
        text += "" if setup.secure else "export OAUTHLIB_INSECURE_TRANSPORT=1\n"
    else:
        # Without a key file yet there is nothing to log in with, only the line to type later.
        comment = "" if setup.key_file else "# "
        text += key_hint(setup) + fill(_KEY, KEY=quote(setup.key_path), COMMENT=comment)
    return [File("gcloud.sh", text, "source gcloud.sh; gcloud compute zones list")]


def _configuration(setup: Setup) -> str:
    """A script that writes the named configuration and signs in with the key file, or says how a person does."""
    authority = f"custom_ca_certs_file = {setup.ca_file}\n" if setup.ca_file else ""
    login = fill(_NAMED_LOGIN, URL=setup.url) if _person(setup) else ""
    text = fill(_NAMED, NAME=setup.named, PROJECT=setup.project_id, AUTHORITY=authority, URL=setup.url, LOGIN=login)
    gcloud = "gcloud"
    if setup.ca_file:
        text += _WINS
        gcloud = _WITHOUT
    if _person(setup):
        plain = "" if setup.secure else "OAUTHLIB_INSECURE_TRANSPORT=1 "
        return (f"{text}# Log in once, {_who(setup)}: {plain}{gcloud} auth login --no-launch-browser "
                f"--configuration={setup.named}\n")
    comment = "" if setup.key_file else "# "
    return (f"{text}{key_hint(setup)}{comment}{gcloud} auth activate-service-account --configuration={setup.named} "
            f"--key-file={quote(setup.key_path)}\n")


def _person(setup: Setup) -> bool:
    """Whether somebody signs in on a page."""
    return setup.own_keys or bool(setup.account and not setup.key_file)


def _who(setup: Setup) -> str:
    return "on the page with your own keys to the cloud" if setup.own_keys else f"as {setup.account}"
