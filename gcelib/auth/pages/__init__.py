"""The pages people see while they sign in: plain HTML, no script, readable by anyone and by old programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from gcelib.auth.pages.document import document
from gcelib.web import Response

__all__ = ["NOTHING", "Typed", "code", "document", "login", "problem"]

_SAID = ' aria-invalid="true" aria-describedby="problem"'


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed that may be shown again."""

    user: str = ""
    key: str = ""
    cloud: str = ""


NOTHING = Typed()


def login(
    fields: Mapping[str, str],
    *,
    client: str,
    destination: str,
    cancel: str,
    typed: Typed = NOTHING,
    clouds: Sequence[str] = (),
    problem: str = "",
    status: int = 200,
    form_origin: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The form, and a second one for a caller's own keys where there are `clouds` that take such.

    `fields` come back with either, hidden; `problem` says why it is shown again. `destination` is where its
    user is sent afterwards, `cancel` the link that leads there empty-handed.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n' for name, value in fields.items()
    )
    back = f'<a class="back" href="{escape(cancel)}">Cancel</a>\n' if cancel else ""
    keyed = bool(clouds and typed.key)
    person = _form("With an account here" if clouds else "", "Sign in",
                   hidden + _inputs(typed.user, bool(problem) and not keyed, focus=not keyed))
    own = ""
    if clouds:
        own = _form("With your own keys to the cloud", "Sign in with keys", hidden + _keys(typed, clouds, problem))
    body = f"""<h1>Sign in to gcelib</h1>
<p>A program that calls itself <strong>{escape(client)}</strong> asks to manage machines in your name.
{escape(destination)}</p>
<p>If you did not start it, close this page.</p>
{_alert(problem)}{person}{own}{back}"""
    title = "Sign in to gcelib"
    # Browsers apply form-action to the redirect that follows the form, too.
    return document(
        f"Not signed in: {title}" if problem else title, body, status, form_action=f"'self' {form_origin}".rstrip(),
        headers=headers,
    )


def _form(heading: str, button: str, inputs: str) -> str:
    """A form; one of several needs a heading to be told apart by."""
    title = f"<h2>{heading}</h2>\n" if heading else ""
    label = f' aria-label="{heading}"' if heading else ""
    return f"""{title}<form method="post" action="auth" accept-charset="utf-8"{label}>
{inputs}<button type="submit">{button}</button>
</form>
"""


def _alert(problem: str) -> str:
    return f'<p class="wrong" role="alert" id="problem">{escape(problem)}</p>\n' if problem else ""


def _inputs(user: str, wrong: bool, focus: bool) -> str:
    """User and password. The focus is where typing goes on; what was wrong is said with both."""
    said = _SAID if wrong else ""
    first, second = ("", " autofocus") if user else (" autofocus", "")
    if not focus:
        first = second = ""
    return f"""<label for="user">User</label>
<input id="user" name="user" type="text" value="{escape(user)}" autocomplete="username" autocapitalize="none"
 autocorrect="off" spellcheck="false" required{first}{said}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{second}{said}>
"""


def _keys(typed: Typed, clouds: Sequence[str], problem: str) -> str:
    """Key and secret, and the cloud where there are several."""
    said = _SAID if problem and typed.key else ""
    focus = " autofocus" if typed.key else ""
    choice = "".join(
        f'<option value="{escape(name)}"{" selected" if name == typed.cloud else ""}>{escape(name)}</option>'
        for name in clouds
    )
    cloud = f'<label for="cloud">Cloud</label>\n<select id="cloud" name="cloud">{choice}</select>\n'
    return f"""{cloud if len(clouds) > 1 else ""}<label for="key">API key</label>
<input id="key" name="key" type="text" value="{escape(typed.key)}" autocomplete="off" autocapitalize="none"
 autocorrect="off" spellcheck="false" required{said}>
<label for="secret">Secret key</label>
<input id="secret" name="secret" type="password" autocomplete="off" required{focus}{said}>
"""


def code(value: str) -> Response:
    """The authorization code, to be carried to the program; old programs read it off the window's title."""
    shown = escape(value)
    body = f"""<h1>You are signed in</h1>
<p>Copy this code and paste it where the program asks for it. It works once, within ten minutes.</p>
<p><code id="code">{shown}</code></p>
<p>Then you may close this page.</p>
"""
    return document(f"Success code={shown}", body)


def problem(text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Response:
    """Why there is no form to show; nobody is sent anywhere."""
    body = f"""<h1>This sign-in cannot go on</h1>
{_alert(text)}<p>Start again from the program that opened this page.</p>
"""
    return document("Sign-in refused", body, status, headers=headers)
