"""A thousand bad weeks of the production program in virtual time, judged by the checker of the tests.

    python bench/weeks.py                                   # seeds 200 to 1199, after the 200 of the tests
    python bench/weeks.py --first 5000 --count 200 --processes 4

Each seed whose week broke a promise is printed with what was broken and how to live through it again, to the letter.
"""

import argparse
import os
import sys
import time

from gateway.week import live_through_bad_weeks


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--first", type=int, default=200, help="the first seed")
    words.add_argument("--count", type=int, default=1000)
    words.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = words.parse_args()
    began, lived, broken, presses, cuts, troubles = time.monotonic(), 0, 0, 0, 0, 0
    for week in live_through_bad_weeks(range(asked.first, asked.first + asked.count), asked.processes):
        lived, presses, cuts = lived + 1, presses + week.presses, cuts + week.cuts
        troubles += week.troubles
        if week.broken:
            broken += 1
            print(f"BROKEN: {week.summary}; again with: {week.again}", *week.broken, sep="\n  ", flush=True)
        if lived % 50 == 0:
            print(f"  {lived} weeks, {broken} broken, {time.monotonic() - began:.0f} s", flush=True)
    happened = f"{presses} presses, {cuts} power cuts, {troubles} other troubles"
    print(f"{lived} weeks, {happened}: {broken} weeks broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
