"""The refusals a CloudStack management server can utter, with their numbers."""

from __future__ import annotations

PLAIN = 9999


class ApiError(Exception):
    """A refusal: `code` is both HTTP status and errorcode, `cscode` the finer cserrorcode.

    One `at_door` is uttered before an asynchronous command becomes a job; all others then fail the job.
    """

    at_door = False

    def __init__(self, code: int, text: str, cscode: int = PLAIN) -> None:
        super().__init__(text)
        self.code = code
        self.cscode = cscode
        self.text = text


def at_door(error: ApiError) -> ApiError:
    """The same refusal, uttered before there is a job: unknown ids, and things of others."""
    error.at_door = True
    return error


def unverified() -> ApiError:
    """Whatever is wrong with key, signature or command name: one and the same 401."""
    return ApiError(401, "unable to verify user credentials and/or request signature")


def not_in_role(command: str) -> ApiError:
    """401: the caller's role lacks the command."""
    return ApiError(401, f"The API {command} is not available for the account's role")


def invalid(text: str, cscode: int = 4350) -> ApiError:
    """431: a parameter is bad, missing, or conflicts with another."""
    return ApiError(431, text, cscode)


def unknown_id(parameter: str, value: str) -> ApiError:
    """431: no entity, living or removed, ever had this id."""
    return ApiError(431, f"Invalid parameter {parameter} value={value}: the entity does not exist")


def malformed(text: str) -> ApiError:
    """430: the syntax of a parameter's name is wrong."""
    return ApiError(430, text)


def unsupported(text: str, cscode: int = 4555) -> ApiError:
    """432: the command exists, but not on this management server."""
    return ApiError(432, text, cscode)


def forbidden(text: str) -> ApiError:
    """531: the account may not do this."""
    return ApiError(531, text, 4365)


def failed(text: str) -> ApiError:
    """530: the server could not carry it out."""
    return ApiError(530, text, 4250)


def no_capacity(text: str) -> ApiError:
    """533: no host, storage or address is left."""
    return ApiError(533, text, 4325)


def over_quota(text: str) -> ApiError:
    """535: the owner's resource limit is reached."""
    return ApiError(535, text, 4370)


def in_use(text: str) -> ApiError:
    """536: another resource still needs it."""
    return ApiError(536, text, 4375)


def rule_conflict(text: str) -> ApiError:
    """537: another network rule already covers this."""
    return ApiError(537, text, 4360)
