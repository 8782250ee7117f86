"""The faults gcelib knows: each kind fixes the HTTP status, GCE's reason and GCE's operation error code.

    Fault
    ├─ Unauthenticated   401  authError                         WWW-Authenticate
    ├─ Forbidden         403  forbidden
    │  └─ Exceeded       403  quotaExceeded
    ├─ NotFound          404  notFound
    ├─ WrongVerb         405  httpMethodNotAllowed              Allow
    ├─ Invalid           400  invalid                           names the field
    │  ├─ Missing        400  required
    │  ├─ Malformed      400  parseError
    │  ├─ InUse          400  resourceInUseByAnotherResource
    │  ├─ NotReady       400  resourceNotReady
    │  ├─ Refused        400  badRequest                        the cloud said no, in its own words
    │  ├─ Canceled       400  operationCanceled                 somebody with the role for it stopped the operation
    │  └─ Unsupported    400  unsupportedOperation              names method, cloud and missing ability
    ├─ Exists            409  alreadyExists
    ├─ Stale             412  conditionNotMet                   a fingerprint that no longer holds
    ├─ TooLarge          413  uploadTooLarge
    ├─ TooMany           429  rateLimitExceeded                 Retry-After
    ├─ Unavailable       503  backendError                      Retry-After; trying again may help
    │  ├─ NoCapacity     503  resourceNotReady                  ZONE_RESOURCE_POOL_EXHAUSTED
    │  └─ Uncertain      503  backendError                      a write whose outcome nobody knows yet
    └─ Bug               500  internalError                     ours; the request id is in the message
"""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """Anything that ends a request or an operation without what was asked for.

    `message` is for people: what was refused, by whom, what to do. Nothing secret belongs in it.
    `field` is the path in the body or the query parameter at fault, `retry_after` whole seconds.
    """

    status = 500
    reason = "internalError"
    code = "INTERNAL_ERROR"

    def __init__(
        self, message: str, *, field: str = "", retry_after: int = 0, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.headers = dict(headers or {})

    def to_data(self) -> dict[str, Any]:
        """This fault as JSON values, for storing; `fault_from_data` reads it back."""
        return {"kind": type(self).__name__, "message": self.message, "field": self.field}


class Unauthenticated(Fault):
    """Nobody known asked; GCE says `required` without a token and `authError` with a bad one."""

    status, reason, code = 401, "authError", "UNAUTHENTICATED"


class Forbidden(Fault):
    """Somebody known asked for what they may not do."""

    status, reason, code = 403, "forbidden", "PERMISSIONS_ERROR"


class Exceeded(Forbidden):
    """A quota of the cloud's account is used up."""

    reason, code = "quotaExceeded", "QUOTA_EXCEEDED"


class NotFound(Fault):
    """The named thing is not there, or not visible to this caller."""

    status, reason, code = 404, "notFound", "RESOURCE_NOT_FOUND"


class WrongVerb(Fault):
    """GCE has this path with other HTTP methods only; they stand in the `Allow` header."""

    status, reason, code = 405, "httpMethodNotAllowed", "INVALID_USAGE"


class Invalid(Fault):
    """The request cannot be carried out as it was written."""

    status, reason, code = 400, "invalid", "INVALID_USAGE"


class Missing(Invalid):
    """A required field or parameter is absent."""

    reason = "required"


class Malformed(Invalid):
    """The body is not what its content type promises."""

    reason = "parseError"


class InUse(Invalid):
    """Something else still uses the thing."""

    reason, code = "resourceInUseByAnotherResource", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"


class NotReady(Invalid):
    """The thing is in a state that does not allow this."""

    reason, code = "resourceNotReady", "RESOURCE_NOT_READY"


class Refused(Invalid):
    """The cloud said no; its words are kept, secrets are not."""

    reason, code = "badRequest", "INVALID_USAGE"


class Canceled(Invalid):
    """Somebody who may do so had the operation stopped, and what it had done taken back."""

    reason, code = "operationCanceled", "OPERATION_CANCELED"


class Unsupported(Invalid):
    """GCE has it, this cloud (or gcelib on it) has not; says the method, the cloud and the missing ability."""

    reason, code = "unsupportedOperation", "UNSUPPORTED_OPERATION"


class Exists(Fault):
    """The name is taken."""

    status, reason, code = 409, "alreadyExists", "RESOURCE_ALREADY_EXISTS"


class Stale(Fault):
    """A fingerprint was sent and does not match what is there now."""

    status, reason, code = 412, "conditionNotMet", "CONDITION_NOT_MET"


class TooLarge(Fault):
    """The body is larger than the server takes."""

    status, reason, code = 413, "uploadTooLarge", "INVALID_USAGE"


class TooMany(Fault):
    """Too many calls in too little time."""

    status, reason, code = 429, "rateLimitExceeded", "RATE_LIMIT_EXCEEDED"


class Unavailable(Fault):
    """The cloud, or something gcelib stands on, does not answer now; trying again may help."""

    status, reason, code = 503, "backendError", "BACKEND_UNAVAILABLE"

    def __init__(
        self, message: str, *, field: str = "", retry_after: int = 5, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, field=field, retry_after=retry_after, headers=headers)


class NoCapacity(Unavailable):
    """The cloud has no room for this machine now."""

    reason, code = "resourceNotReady", "ZONE_RESOURCE_POOL_EXHAUSTED"


class Uncertain(Unavailable):
    """A change was sent and its answer lost: it may have happened. Never resend before looking."""


class Bug(Fault):
    """Our own mistake."""


KINDS: dict[str, type[Fault]] = {
    kind.__name__: kind for kind in list(globals().values()) if isinstance(kind, type) and issubclass(kind, Fault)
}


def fault_from_data(data: dict[str, Any]) -> Fault:
    """The fault that `to_data` described; an unknown kind is a `Bug`."""
    return KINDS.get(str(data.get("kind")), Bug)(str(data.get("message", "")), field=str(data.get("field", "")))
