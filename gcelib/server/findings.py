"""What can be wrong with a running gcelib, and how it is mended: one table for doctor, /readyz, /metrics, console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcelib.drivers.examined import NOTE as NOTE
from gcelib.drivers.examined import WELL as WELL
from gcelib.drivers.examined import WRONG as WRONG


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is the part that was looked at, `said` what it is like, `cure` what to do, "" for nothing.

    `cause` is the key of CAUSES it comes of, "" for what only doctor finds; `subject` which cloud or disk it is about,
    "" for the server itself.
    """

    about: str
    level: str
    said: str
    cure: str = ""
    cause: str = ""
    subject: str = ""


CLOUD, DISK = "cloud", "disk"


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that can be wrong. `title` names it, `cure` says what to do, both for people; `of` is what there may be
    several of, whose name stands for {subject}."""

    level: str
    title: str
    cure: str
    of: str = ""


CAUSES: Mapping[str, Cause] = {
    "store-away": Cause(
        WRONG, "The database does not answer.",
        "See that the database server runs and lets gcelib in, and that its disk has room; server.database says which "
        "it is. gcelib goes on by itself when it answers. A SQLite file that is damaged is moved away with the server "
        "stopped, and a backup put in its place: gcelib restore."),
    "store-refuses": Cause(
        WRONG, "The database takes no changes.",
        "Its own words, under `writes` of /readyz, say why: a file system mounted read-only, a file of another user, a "
        "user of PostgreSQL's that does not own the database, another program that holds it. gcelib goes on by itself "
        "when it can write."),
    "disk-full": Cause(
        WRONG, "A disk that gcelib writes to is full.",
        "Make room on the file system of {subject}: old copies, logs and core files go first, the database last. "
        "gcelib goes on by itself.", DISK),
    "disk-low": Cause(
        NOTE, "A disk that gcelib writes to is nearly full.",
        "Make room on the file system of {subject}, or give it a larger one, before it is full.", DISK),
    "worker-stopped": Cause(
        WRONG, "Operations are not carried on: a thread that does it has ended.",
        "Restart gcelib (systemctl restart gcelib): operations go on where they were. Its log says why; that is a "
        "mistake of gcelib's worth reporting."),
    "audit-unwritten": Cause(
        WRONG, "The audit log cannot be written: who changes what is told to the server's log only.",
        "Make audit.log in state_dir a file that gcelib's user may write to, on a disk with room; the next line is "
        "written to it again."),
    "redis-away": Cause(
        WRONG, "Redis does not answer; the database is asked in its place.",
        "See that Redis runs and takes the user and password of server.generations."),
    "cloud-away": Cause(
        WRONG, "A cloud does not answer.",
        "See that endpoint of [clouds.{subject}] can be reached from this machine and that its certificate is good; "
        "else it is its operator's to mend. Operations wait for it, and go on by themselves.", CLOUD),
    "cloud-refuses-keys": Cause(
        WRONG, "A cloud refuses the keys that gcelib has for it.",
        "Put new keys into key and secret of [clouds.{subject}] and send SIGHUP (systemctl reload gcelib); `gcelib "
        "doctor` tries them. Operations wait meanwhile.", CLOUD),
    "cloud-troubled": Cause(
        WRONG, "A cloud answers, but not as it should.",
        "See that endpoint of [clouds.{subject}] is the whole URL of the cloud's API, and not another page's. Where a "
        "proxy stands before the cloud, what is behind it may be down: that is its operator's to mend. Operations wait "
        "for it, and go on by themselves.", CLOUD),
    "clock-off": Cause(
        WRONG, "This machine's clock and a cloud's differ.",
        "Let both be set by NTP: timedatectl set-ntp true, and see timedatectl timesync-status.", CLOUD),
    "certificate-ended": Cause(
        WRONG, "The certificate that clients are shown has ended.",
        "Put a new one where server.cert and server.key point, with its chain, and send SIGHUP (systemctl reload "
        "gcelib). One of the local CA is renewed by a restart."),
    "certificate-ends-soon": Cause(
        NOTE, "The certificate that clients are shown ends soon.",
        "Put a new one where server.cert and server.key point, with its chain, and send SIGHUP (systemctl reload "
        "gcelib). One of the local CA is renewed by itself."),
    "certificate-not-yet": Cause(
        WRONG, "The certificate that clients are shown is not good yet.",
        "See this machine's clock (timedatectl), then who made the certificate."),
    "certificate-unused": Cause(
        WRONG, "The certificate on disk cannot be used; the one before is still shown.",
        "Put certificate and key that belong together where server.cert and server.key point, and send SIGHUP."),
}


def found(cause: str, about: str, said: str = "", subject: str = "") -> Finding:
    """A finding of this cause; without `said` in the table's own words."""
    row = CAUSES[cause]
    return Finding(about, row.level, said or row.title, row.cure.format(subject=subject), cause, subject)


def well(about: str, said: str) -> Finding:
    """All right."""
    return Finding(about, WELL, said)


def note(about: str, said: str, cure: str = "") -> Finding:
    """Worth knowing."""
    return Finding(about, NOTE, said, cure)


def wrong(about: str, said: str, cure: str) -> Finding:
    """To be mended."""
    return Finding(about, WRONG, said, cure)
