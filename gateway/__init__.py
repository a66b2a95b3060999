"""Foundation below (domain, ports), front door above (pipeline, app, command line)."""

import sys

# httpx brings a command line of its own, which loads rich and click where they are installed: a tenth of what each of
# our commands takes to load, for nothing. Where it cannot be had, httpx does without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
