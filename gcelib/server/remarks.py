"""What only GCE knows of a thing: kept as tags on the cloud where they fit, else as a note in the store."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.errors import Invalid, Stale
from gcelib.server import fingerprint
from gcelib.server.operations.plan import Step

PREFIX = "gcelib-"
"""Tags of ours; every other tag that could be a label is shown as one."""

LONGEST_LABEL = 63
LETTERS = frozenset({"Ll", "Lo"})
DIGITS = frozenset({"Nd", "Nl", "No"})
MOST_LABELS = 64


def is_key(text: str) -> bool:
    """Whether GCE takes this as a label's key: a letter first that has no upper case, in any script."""
    return bool(text) and unicodedata.category(text[0]) in LETTERS and is_value(text)


def is_value(text: str) -> bool:
    """Whether GCE takes this as a label's value: such letters, digits, `_` and `-`."""
    if len(text) > LONGEST_LABEL:
        return False
    return all(char in "_-" or unicodedata.category(char) in LETTERS | DIGITS for char in text)


def check_labels(labels: Mapping[str, str], field: str = "resource.labels") -> dict[str, str]:
    """The labels, if GCE would take them and none is one of ours. Raises Invalid naming the key."""
    if len(labels) > MOST_LABELS:
        raise Invalid(f"Invalid value for field '{field}': {len(labels)} labels. At most {MOST_LABELS} are allowed.",
                      field=field)
    for key, value in labels.items():
        if not is_key(key) or key.startswith(PREFIX):
            raise Invalid(
                f"Invalid value for field '{field}': '{key}'. A key starts with a lower-case letter, goes on with "
                f"those, digits, '-' and '_', has at most 63 characters and does not start with '{PREFIX}'.",
                field=field,
            )
        if not is_value(value):
            raise Invalid(
                f"Invalid value for field '{field}.{key}': '{value}'. Lower-case letters, digits, '-' and '_', "
                "at most 63 characters.",
                field=f"{field}.{key}",
            )
    return dict(labels)


def split(cloud: Cloud, labels: Mapping[str, str], said: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """(tags for the cloud, data for the note).

    `said` maps names ("description", "tags") to texts or other JSON values. A text that is short and plain
    enough becomes the tag `gcelib-NAME`; what is not text, too long, or empty goes to the note.
    """
    tags: dict[str, str] = {}
    note: dict[str, Any] = {}
    longest = cloud.traits.tag_chars if cloud.tags is not None else 0
    for key, value in labels.items():
        if longest and value:
            tags[key] = value
        else:
            note.setdefault("labels", {})[key] = value
    for name, value in said.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, str) and len(value) <= longest and value.isprintable():
            tags[PREFIX + name] = value
        else:
            note[name] = value
    return tags, note


def labels_of(tags: Mapping[str, str], note: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a thing: those of the note, and the cloud's tags that could be labels."""
    if not tags and not note:
        return {}
    shown = {
        key: value
        for key, value in tags.items()
        if not key.startswith(PREFIX) and is_key(key) and is_value(value)
    }
    shown.update(note.get("labels", {}))
    return dict(sorted(shown.items()))


def said_of(name: str, tags: Mapping[str, str], note: Mapping[str, Any], default: Any = "") -> Any:
    """What was kept under `name`, wherever it was put."""
    if name in note:
        return note[name]
    return tags.get(PREFIX + name, default)


def steps(cloud: Cloud, kind: str, step: str, labels: Mapping[str, str], said: Mapping[str, Any]) -> list[Step]:
    """The steps that keep all this on what the step named `step` makes, as soon as its id is known."""
    tags, note = split(cloud, labels, said)
    target = {"$ref": f"{step}.target"}
    found: list[Step] = []
    if note:
        where = {"place": cloud.name, "kind": kind, "id": target}
        undo = Step(f"un-note {step}", "", "notes", "delete", where)
        found.append(Step(f"note {step}", "", "notes", "put", {**where, "data": note}, undo=undo))
    if tags:
        args = {"kind": kind, "ids": [target], "tags": tags}
        found.append(Step(f"tag {step}", cloud.name, "tags", "set", args, optional=True))
    return found


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that is there, with what is kept of it now: `kind` as tags and notes call it."""

    cloud: Cloud
    kind: str
    id: str
    tags: Mapping[str, str]
    note: Mapping[str, Any]


def restated(subject: Subject, said: Mapping[str, Any]) -> list[Step]:
    """The steps that keep these remarks on a thing in place of what was kept under the same names."""
    tags, note = split(subject.cloud, {}, said)
    kept = {PREFIX + name for name in said} & set(subject.tags)
    note = {name: note.get(name) for name in said if name in note or name in subject.note}
    return _kept(subject, {key for key in kept if key not in tags}, tags, note, " and ".join(said))


def relabelled(subject: Subject, sent: Mapping[str, Any], field: str = "resource") -> list[Step]:
    """The steps of a setLabels request: changed labels replaced, gone ones removed, everything else left alone.

    `sent` is the request's body. Raises Stale without the fingerprint of the labels as they are now, which GCE
    insists on, and Invalid naming the label it would not take.
    """
    current = labels_of(subject.tags, subject.note)
    if not sent.get("labelFingerprint"):
        raise Stale("Labels fingerprint either invalid or resource labels have changed: none was sent.",
                    field=f"{field}.labelFingerprint")
    fingerprint.check(sent["labelFingerprint"], fingerprint.fingerprint(current), f"{field}.labelFingerprint")
    return labelled(subject, check_labels(sent.get("labels") or {}, f"{field}.labels"))


def labelled(subject: Subject, labels: Mapping[str, str]) -> list[Step]:
    """The steps after which a thing has exactly these labels."""
    tags, note = split(subject.cloud, labels, {})
    gone = {key for key in labels_of(subject.tags, {}) if key not in tags}
    noted = note.get("labels")
    merged = {"labels": noted} if noted != subject.note.get("labels") else {}
    return _kept(subject, gone, tags, merged, "labels")


def _kept(
    subject: Subject, gone: set[str], tags: Mapping[str, str], note: Mapping[str, Any], what: str
) -> list[Step]:
    """Tags removed, tags set, note merged; a later failure puts all back as it was."""
    cloud, about = subject.cloud.name, {"kind": subject.kind, "ids": [subject.id]}
    before = {key: value for key, value in subject.tags.items() if key in gone or key in tags}
    changed = {key: value for key, value in tags.items() if key in before and before[key] != value}
    new = {key: value for key, value in tags.items() if key not in before}
    back = Step(f"put back {what}", cloud, "tags", "set", {**about, "tags": before}) if before else None
    steps: list[Step] = []
    if gone:
        steps.append(Step(f"remove {what}", cloud, "tags", "remove", {**about, "keys": sorted(gone)}, undo=back))
    if changed:
        steps.append(Step(f"set {what}", cloud, "tags", "set", {**about, "tags": changed}, undo=back))
    if new:
        away = Step(f"take away {what}", cloud, "tags", "remove", {**about, "keys": sorted(new)})
        steps.append(Step(f"add {what}", cloud, "tags", "set", {**about, "tags": new}, undo=away))
    if note:
        where = {"place": cloud, "kind": subject.kind, "id": subject.id}
        old = {**where, "data": {name: subject.note.get(name) for name in note}}
        undo = Step(f"old note of {what}", "", "notes", "merge", old)
        steps.append(Step(f"note {what}", "", "notes", "merge", {**where, "data": note}, undo=undo))
    return steps
