"""The shop's settings, under the bench: production's, but mail stays in memory."""

import os

from bdvoucher.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
ROOT_URLCONF = "benchmarks.urls"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LOGGING["root"]["level"] = "ERROR"
if not os.environ.get("BENCH_SERVES"):
    # One connection that goes from database to database; a server has its pool as always.
    DATABASES["default"]["OPTIONS"].pop("pool")
    DATABASES["default"]["OPTIONS"]["options"] = "-c timezone=UTC"
    DATABASES["default"]["CONN_MAX_AGE"] = None
