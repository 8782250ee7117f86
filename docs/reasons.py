"""What each word of an error or a warning means and what to do about it: docs/errors.md is made of this.

tests/test_docs_reference.py finds every word that the code can answer with and asks for it here.
"""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, str]] = {
    "required": (
        "401: the request had no token. 400: a field or parameter is missing; the message and `location` name it.",
        "Sign in; `gcelib client NAME` sets a client up. Give the field.",
    ),
    "authError": (
        "The token is unknown, expired or revoked, or its account is disabled; or a caller's cloud keys are no longer "
        "taken by the cloud.",
        "Sign in again: a token is good for an hour. `gcelib account list` shows accounts; for keys, get new ones from "
        "the cloud.",
    ),
    "forbidden": (
        "The account's role on the project does not allow the method, or the cloud does not allow it to these keys.",
        "Where the message names a role: `gcelib account grant`. Where it names the cloud: its operator has to allow "
        "it; `gcelib doctor` shows what keys may not do.",
    ),
    "insufficientPermissions": (
        "The token was asked for with scopes that do not allow this, whatever the account may.",
        "Ask for a token with the scope `compute` or `cloud-platform`.",
    ),
    "quotaExceeded": (
        "A limit of the cloud's account is used up: machines, disks, addresses …",
        "Delete something, or have the cloud's operator raise the limit. `gcloud compute regions describe` shows "
        "quotas where the cloud tells them.",
    ),
    "notFound": (
        "There is no such thing, path or project – or none that this account may see: a project of somebody else's is "
        "answered in the same words.",
        "Look at the name with a list. For a project: `gcelib account list` shows who has which role where.",
    ),
    "httpMethodNotAllowed": (
        "GCE has this path with other HTTP methods; they are in the header `Allow`.",
        "Use one of those.",
    ),
    "invalid": (
        "A field or parameter has a value that makes no sense, or could mean several things; the message names the "
        "field and, where it can, what is possible.",
        "Change the field.",
    ),
    "parseError": (
        "The body is no JSON, or not what its `Content-Type` says.",
        "Send the JSON that Google's reference shows for the method.",
    ),
    "resourceInUseByAnotherResource": (
        "Something still uses the thing: a machine its disk, a rule its address.",
        "Take it away from there first; the message names what uses it.",
    ),
    "resourceNotReady": (
        "400: the thing is in a state that does not allow this, as a machine that runs and would have to be stopped. "
        "503: the cloud has no room for the machine now.",
        "Bring it to the state that the message names. For room: another zone or machine type, or later.",
    ),
    "badRequest": (
        "The cloud refused, and its own words follow; or the HTTP request was broken before anybody read it.",
        "Do what the words say; `gcelib doctor` tells about keys and clocks.",
    ),
    "unsupportedOperation": (
        "GCE has this method or field; this cloud, or libcloud's driver of it, has not. The message names method or "
        "field, cloud and what is missing.",
        "Leave the field out or go another way: [methods and clouds](methods-and-clouds.md), [limits](limits.md). "
        "Trying again does not help.",
    ),
    "operationCanceled": (
        "Somebody cancelled the operation; what it had done was taken back.",
        "Begin anew if it is still wanted.",
    ),
    "alreadyExists": (
        "The name is taken.",
        "Take another, or delete what has it. Names of machines are one for all accounts in a shared network of "
        "CloudStack's: then the other one may be somebody else's.",
    ),
    "conditionNotMet": (
        "The fingerprint, or the `If-Match`, that was sent is of an older state: somebody else changed the thing.",
        "Read it again, change that, and send its new fingerprint.",
    ),
    "uploadTooLarge": (
        "The request's body, or a batch, is larger than the server takes.",
        "Send less at once.",
    ),
    "rateLimitExceeded": (
        "More calls than the cloud, or its section of the configuration, allows; or too many open operations in the "
        "project; or too many wrong passwords.",
        "Wait as long as `Retry-After` says. `per_second`, `concurrent` and `open_operations` of the "
        "[configuration](configuration.md) are gcelib's own limits.",
    ),
    "backendError": (
        "The cloud, or the database, does not answer, answers nonsense, or does not take gcelib's own keys; or the "
        "server has too much to do. Of a change it may not be known whether it happened: the message says so.",
        "Try again after `Retry-After`. `gcelib doctor` and `/readyz` tell which cloud and why; "
        "[clouds that are slow, away or wrong](patience.md).",
    ),
    "internalError": (
        "gcelib made a mistake.",
        "Look for the request id of the message in the server's log, and report what stands there.",
    ),
    "requestTimeout": (
        "The request did not arrive in the time allowed.",
        "Look at the network between client and server.",
    ),
    "uriTooLong": (
        "The URL is longer than the server reads.",
        "A shorter filter, or a batch of requests.",
    ),
    "headersTooLarge": (
        "The request's headers are larger than the server reads.",
        "Find out what adds them: a proxy, cookies of other sites.",
    ),
}
"""A word in `error.errors[].reason` -> why it is answered, and what to do."""

CODES: Mapping[str, str] = {
    "CLEANUP_FAILED": "What was made before the failure could not be taken back; the message names what is left.",
}
"""Words in an operation's `error.errors[].code` besides those of the table of reasons."""

WARNINGS: Mapping[str, str] = {
    "UNREACHABLE": "A cloud of the project does not answer: what is its own is missing from the list.",
    "NO_RESULTS_ON_PAGE": "A zone or region of an aggregated list has nothing of the kind.",
    "UNDECLARED_PROPERTIES": "A field that GCE v1 has not was sent and ignored. `strict_fields` makes it an error.",
    "FIELD_VALUE_OVERRIDEN": "A field has no effect on this cloud, which has no such thing; all else was done.",
    "NOT_CRITICAL_ERROR": "It was done, and something about it is not as one might expect; the message says what.",
    "DEPRECATED_RESOURCE_USED": "The image is deprecated; the message names what to use instead, where that was said.",
    "QUOTA_INFO_UNAVAILABLE": "The cloud did not tell its quotas.",
    "CLEANUP_FAILED": "As above, of something that did not make the operation fail.",
}
"""Words in `warning.code` and `warnings[].code` -> what they say."""

SIGN_IN: Mapping[str, tuple[str, str]] = {
    "invalid_request": ("A parameter is missing, doubled or malformed.", "The description names it."),
    "invalid_client": ("The client's id and secret fit nobody.", "Look at the keys; for cloud keys, at their cloud."),
    "invalid_grant": (
        "The code, refresh token, password or signed request is wrong, expired or used. For a key file: it was rotated "
        "away, its account is disabled, or a clock is off.",
        "Sign in again; `gcelib account rotate-key` makes a new key file; compare the clocks.",
    ),
    "unauthorized_client": ("This client may not sign in this way.", "Use the way that `gcelib client NAME` prints."),
    "unsupported_grant_type": ("There is no such way to a token.", "[Signing in](signing-in.md) lists them."),
    "unsupported_response_type": ("The login page gives codes only.", "Ask for `response_type=code`."),
    "invalid_scope": ("A scope that gcelib does not know.", "Ask for `compute` or `cloud-platform`."),
    "access_denied": ("The person said no on the login page.", "Sign in again."),
    "invalid_token": ("As `authError`; in the header `WWW-Authenticate`.", "As `authError`."),
    "server_error": ("gcelib made a mistake.", "As `internalError`."),
    "temporarily_unavailable": ("The cloud that should prove the keys does not answer.", "Try again."),
}
"""OAuth's words -> why, and what to do."""
