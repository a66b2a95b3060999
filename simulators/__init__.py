"""Elders, homes, networks and clocks that are not real. What each file is for: docs/simulators.md."""
