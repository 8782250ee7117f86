"""Asks pip-audit whether anything installed beside this Python has a known hole: `make audit`.

Exits with 1 for a hole. Where the data cannot be reached, it says so in so many words and exits with 0; that
nothing was found is never said of what was not looked at.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

OURS = "gcelib"
_UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Timeout|Max retries|NameResolution|ProxyError|SSLError|ServiceError"
    r"|Failed to connect|HTTPError|status code",
)


def verdict(stdout: str, stderr: str) -> tuple[int, str]:
    """Exit code and words, from what pip-audit wrote in its JSON format."""
    try:
        rows = [row for row in json.loads(stdout)["dependencies"] if row["name"] != OURS]
    except (ValueError, LookupError, TypeError):
        last = (stderr.strip() or "it said nothing").splitlines()[-1]
        if _UNREACHABLE.search(stderr):
            return 0, f"AUDIT: NOT DONE. pip-audit could not reach its data ({last})."
        return 1, f"AUDIT: pip-audit failed: {last}"
    looked = [row for row in rows if "skip_reason" not in row]
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    holes = [
        f"  {row['name']} {row['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for row in looked for hole in row.get("vulns", ())
    ]  # fmt: skip
    if holes:
        return 1, "\n".join(["AUDIT: known holes:", *holes])
    if not looked:
        return 0, f"AUDIT: NOT DONE. pip-audit could not reach its data: of {len(rows)} packages it found none there."
    left = f" NOT LOOKED AT: {', '.join(sorted(skipped))}." if skipped else ""
    return 0, f"AUDIT: no known hole in {len(looked)} packages.{left}"


def main() -> int:
    """Run pip-audit on this environment and say what came of it."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--local", "--progress-spinner", "off",
               "--timeout", "10"]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    code, words = verdict(ran.stdout, ran.stderr)
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main())
