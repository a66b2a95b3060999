"""Stores that remember while the program runs: for tests, simulation and a first look.

They keep every promise of their ports but durability: an exception inside a transaction undoes it, nothing is seen
before it is committed, and one writer goes at a time.
"""

from gateway.stores.memory.accounts import MemoryAccounts
from gateway.stores.memory.alerts import MemoryAlerts
from gateway.stores.memory.readings import MemoryReadings
from gateway.stores.memory.registry import MemoryRegistry
from gateway.stores.memory.trail import MemoryTrail

__all__ = ["MemoryAccounts", "MemoryAlerts", "MemoryReadings", "MemoryRegistry", "MemoryTrail"]
