"""`python -m simulators`: gateways, partners and mail server of this shop, for this machine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from .app import Options, Simulators

EPILOG: Final = """
what is served
  /                     what each service does just now, and buttons to make it misbehave
  /paystation/...       PayStation (base URL of the client: http://HOST:PORT/paystation)
  /bkash/v1.2.0-beta/.. bKash tokenized checkout
  /nagad/remote-payment-gateway-1.0/api/dfs/..  Nagad; its public keys at /nagad/keys
  /dcb/bdapps/caas/...  carrier billing: bdapps; /dcb/applink/caas/... Applink
  /dcb/phone/NUMBER     a subscriber's phone: passwords, and what he says to a charge
  /sslcommerz/...       SSLCommerz (base URL of the client: http://HOST:PORT/sslcommerz)
  /zendit/v1/...        Zendit vouchers
  /reloadly/...         Reloadly gift cards, token call included
  /points/v1/...        points credited to members of loyalty programmes
  /mail/                the mails that the SMTP port has taken; POST /mail/sms {to, text}

control API (JSON)
  GET    /control                        every service with its operations and faults
  GET    /control/SERVICE                one of them
  POST   /control/SERVICE/faults         {operation, fault, times?, match?, seconds?, ...}
  GET    /control/SERVICE/faults         what is set;  DELETE takes all (or /faults/ID) away
  POST   /control/SERVICE/preset         {preset}: one button of the page at /
  GET    /control/SERVICE/ledger         payments or purchases, with charges per reference
  GET    /control/SERVICE/calls          the last calls, with the fault each one met
  GET    /control/SERVICE/settings       POST changes some of them
  POST   /control/SERVICE/advance        {seconds}: move its clock on
  POST   /control/SERVICE/reset          as new;  POST /control/reset does it for all
  POST   /control/mail/mode              {mode, seconds?, times?}
  GET    /control/mail/messages          DELETE empties the inbox

credentials come from the variables the shop itself reads (PAYSTATION_MERCHANT_ID, ...);
docs/simulators.md explains every fault.
"""


def options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m simulators",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="HTTP; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=8125, help="SMTP; 0 takes a free one")
    parser.add_argument("--state-dir", type=Path, help="keep the ledgers there over restarts")
    parser.add_argument("--public-url", default="", help="how browsers reach this server")
    given = parser.parse_args()
    return Options(
        host=given.host,
        port=given.port,
        smtp_port=given.smtp_port,
        state_dir=given.state_dir,
        public_url=given.public_url,
        variables=os.environ,
    )


def main() -> int:
    wanted = options()
    try:
        simulators = Simulators(wanted)
    except OSError as error:
        ports = f"{wanted.port} (--port) or {wanted.smtp_port} (--smtp-port)"
        print(f"simulators: {ports} cannot be used: {error.strerror or error}", file=sys.stderr)
        return 1
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    simulators.start()
    print(f"simulators: {simulators.url}/, SMTP port {simulators.mail.port}", flush=True)
    done.wait()
    simulators.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
