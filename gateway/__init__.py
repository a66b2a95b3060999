"""Foundation below (domain, ports), front door above (pipeline, app, command line)."""
