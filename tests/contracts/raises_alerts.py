"""Raises one alert after the other and says each that is written down, until it is killed: the child of a test.

python raises_alerts.py URL
"""

import sys

from test_alert_store import MORNING, a_delivery, a_finding, an_alert, minutes

from gateway.ports import Timer
from gateway.stores.sql import SqlAlerts, open_book

if __name__ == "__main__":
    alerts = SqlAlerts(open_book(sys.argv[1]))
    number = len(alerts.alerts(limit=1_000_000))
    while True:
        alert = an_alert(a_finding(since=MORNING + minutes(number)))
        with alerts.begin() as ledger:
            ledger.join(alert.finding, alert.id)
            ledger.save(alert)
            ledger.queue(a_delivery(alert))
            ledger.set_timer(Timer(f"climb/{alert.id}", "climb", alert.id, MORNING))
            ledger.publish(MORNING, "alert", alert.id)
        print(alert.id, flush=True)
        number += 1
