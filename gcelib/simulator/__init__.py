"""A CloudStack management server's API in memory: the embedded default cloud, and the test bed."""

from gcelib.simulator.clock import Clock, RealClock, SettableClock
from gcelib.simulator.faults import Fault, FaultPlan
from gcelib.simulator.records import Account, Project
from gcelib.simulator.settings import Settings
from gcelib.simulator.simulator import Simulator
from gcelib.simulator.world import World

__all__ = [
    "Account",
    "Clock",
    "Fault",
    "FaultPlan",
    "Project",
    "RealClock",
    "SettableClock",
    "Settings",
    "Simulator",
    "World",
]
