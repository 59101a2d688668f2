"""Importing this completes the environment of a local command, before the settings read it.

`manage.py shell`, `migrate` or `check` beside a running shop then speak to that shop, and commands
that start one find secrets. What is set already stays as it is.
"""

from bdvoucher.local.environment import adopt

adopt()
