# Other names for the scripts, for fingers that are used to make.
.PHONY: run test check bench
run test check:
	@scripts/$@
bench:
	@scripts/setup test
	@.venv/bin/python bench/road.py --quick
