"""The pages people see while they sign in: plain HTML, no script, readable by anyone and by old programs."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from gcelib.auth.pages.document import document
from gcelib.web import Response

__all__ = ["code", "document", "login", "problem"]


def login(
    fields: Mapping[str, str],
    *,
    client: str,
    destination: str,
    cancel: str,
    user: str = "",
    problem: str = "",
    status: int = 200,
    form_origin: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The form. `fields` come back with it, hidden; `problem` says why it is shown again.

    `destination` is where its user is sent afterwards, `cancel` the link that leads there empty-handed.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n' for name, value in fields.items()
    )
    back = f'<a class="back" href="{escape(cancel)}">Cancel</a>\n' if cancel else ""
    body = f"""<h1>Sign in to gcelib</h1>
<p>A program that calls itself <strong>{escape(client)}</strong> asks to manage machines in your name.
{escape(destination)}</p>
<p>If you did not start it, close this page.</p>
{_alert(problem)}<form method="post" action="auth" accept-charset="utf-8">
{hidden}{_inputs(user, bool(problem))}<button type="submit">Sign in</button>
</form>
{back}"""
    title = "Sign in to gcelib"
    # Browsers apply form-action to the redirect that follows the form, too.
    return document(
        f"Not signed in: {title}" if problem else title, body, status, form_action=f"'self' {form_origin}".rstrip(),
        headers=headers,
    )


def _alert(problem: str) -> str:
    return f'<p class="wrong" role="alert" id="problem">{escape(problem)}</p>\n' if problem else ""


def _inputs(user: str, wrong: bool) -> str:
    """User and password. The focus is where typing goes on; what was wrong is said with both."""
    said = ' aria-invalid="true" aria-describedby="problem"' if wrong else ""
    first, second = ("", " autofocus") if user else (" autofocus", "")
    return f"""<label for="user">User</label>
<input id="user" name="user" type="text" value="{escape(user)}" autocomplete="username" autocapitalize="none"
 autocorrect="off" spellcheck="false" required{first}{said}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{second}{said}>
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
