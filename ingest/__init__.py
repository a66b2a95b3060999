"""The way in: from the broker's messages to readings."""
