"""The pages people see while they sign in: plain HTML, no script, readable by anyone and by old programs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from gcelib.web import Response

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin-top:1rem}"
    "input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem;border:1px solid;border-radius:.25rem}"
    "button{font:inherit;margin-top:1.5rem;padding:.4rem 1.5rem;border:1px solid;border-radius:.25rem}"
    "code{display:block;font:1.1rem/1.6 ui-monospace,monospace;padding:.8rem;border:1px solid;"
    "border-radius:.25rem;overflow-wrap:anywhere;user-select:all}"
    ".wrong{border-left:.3rem solid;padding-left:.8rem;font-weight:600}"
    ":focus-visible{outline:3px solid Highlight;outline-offset:2px}"
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


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
    """The form. `fields` come back with it, hidden; `problem` says why it is shown again."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n' for name, value in fields.items()
    )
    wrong = f'<p class="wrong" role="alert" id="problem">{escape(problem)}</p>\n' if problem else ""
    back = f'<p><a href="{escape(cancel)}">Cancel</a></p>\n' if cancel else ""
    described = ' aria-describedby="problem"' if problem else ""
    body = f"""<h1>Sign in to gcelib</h1>
<p>The program <strong>{escape(client)}</strong> asks to manage machines in your name.
{escape(destination)}</p>
{wrong}<form method="post" action="auth" accept-charset="utf-8">
{hidden}<label for="user">User</label>
<input id="user" name="user" type="text" value="{escape(user)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" required autofocus{described}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>
{back}"""
    return _page("Sign in", body, status, form_origin, headers)


def code(value: str) -> Response:
    """The authorization code, to be carried to the program; old programs read it off the window's title."""
    shown = escape(value)
    body = f"""<h1>You are signed in</h1>
<p>Copy this code and paste it where the program asks for it. It works once, within ten minutes.</p>
<p><code id="code">{shown}</code></p>
<p>Then you may close this page.</p>
"""
    return _page(f"Success code={shown}", body, 200)


def problem(text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Response:
    """Why there is no form to show; nobody is sent anywhere."""
    body = f"""<h1>This sign-in cannot go on</h1>
<p class="wrong" role="alert">{escape(text)}</p>
<p>Start again from the program that opened this page.</p>
"""
    return _page("Sign-in refused", body, status, headers=headers)


def _page(
    title: str, body: str, status: int, form_origin: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    html = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""
    # Browsers apply form-action to the redirect that follows the form, too.
    allowed = f"'self' {form_origin}".rstrip()
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        f"form-action {allowed}; frame-ancestors 'none'; base-uri 'none'"
    )
    return Response(
        status,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            **(headers or {}),
        },
        html.encode(),
    )
