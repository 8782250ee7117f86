"""What is tidied once an hour: old operations, notes of things that are gone, groups of machines that are gone."""

from __future__ import annotations

from gcelib.drivers.projects import Projects
from gcelib.server.operations.janitor import Janitor
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations


def upkeep(projects: Projects, operations: Operations, notes: Notes) -> None:
    """One round over every cloud."""
    Janitor(operations, notes, projects.clouds()).run()
