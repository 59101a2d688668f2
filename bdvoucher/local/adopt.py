"""Importing this completes the environment of a local command, before the settings read it.

`manage.py shell`, `migrate` or `check` beside a running shop then speak to that shop, and commands
that start one find secrets. What is set already stays as it is.
"""

import os

from bdvoucher.local.addresses import check_form
from bdvoucher.local.environment import adopt
from bdvoucher.local.problems import SetupProblem

adopt()
try:
    check_form(os.environ.get("DATABASE_URL", ""))
except SetupProblem as problem:  # the settings would end in a traceback
    raise SystemExit(str(problem)) from None
