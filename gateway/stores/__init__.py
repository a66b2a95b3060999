"""What the house remembers: alerts, registry and accounts in `gateway.db`, readings in `readings.db`, fakes in memory.

Import the module you need (`gateway.stores.sql`, `.readings`, `.memory`); nothing is opened by an import.
"""


class WrongBook(Exception):
    """This file cannot be used by this version of the program."""
