"""One step a file; the newest is named in `gateway.stores.book.HEAD`."""
