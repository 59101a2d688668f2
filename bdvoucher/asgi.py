"""The shop under any ASGI server."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bdvoucher.settings.production")
application = get_asgi_application()
