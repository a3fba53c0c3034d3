"""One verification by djangorestframework-api-key 3, as its permission does it, on SQLite in memory. It speaks as
worker.py does, and runs in an environment of its own, with Django."""

import sys
import time

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["rest_framework_api_key"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from rest_framework_api_key.models import APIKey  # noqa: E402  Django's models want its settings first

call_command("migrate", verbosity=0)
_, key = APIKey.objects.create_key(name="benchmark")


def verify() -> None:
    if not APIKey.objects.is_valid(key):
        raise RuntimeError("refused")


for _ in range(50):
    verify()
sys.stdout.write("ready\n")
sys.stdout.flush()
for line in sys.stdin:
    count = int(line)
    began = time.process_time()
    for _ in range(count):
        verify()
    sys.stdout.write(f"{(time.process_time() - began) / count * 1e6}\n")
    sys.stdout.flush()
