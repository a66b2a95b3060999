"""`gateway.db` behind its ports: open the book once, and give its engine to these."""

from gateway.stores import WrongBook
from gateway.stores.accounts import SqlAccounts
from gateway.stores.alerts import SqlAlerts
from gateway.stores.book import open_book, revision, tidy
from gateway.stores.registry import SqlRegistry

__all__ = ["SqlAccounts", "SqlAlerts", "SqlRegistry", "WrongBook", "open_book", "revision", "tidy"]
