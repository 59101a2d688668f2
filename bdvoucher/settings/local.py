"""A developer's or evaluator's machine: `./run` puts servers and secrets into the environment."""

import bdvoucher.local.adopt  # noqa: F401 - comes first: it fills the environment
from bdvoucher.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
