"""Imported once by the fork server: what every environment would load, and nothing that reads os.environ.

botocore loads most of itself when its first client is made, so one is made here and thrown away.
"""

import gc
import importlib
import pkgutil
from contextlib import suppress

import aws_lambda_powertools.event_handler.api_gateway
import aws_lambda_powertools.event_handler.openapi.params
import aws_lambda_powertools.logging
import aws_lambda_powertools.metrics  # noqa: F401
import boto3

import local.runtime  # noqa: F401

with suppress(ImportError):  # this package's own tests have a bundle without it
    import keywright

    for module in pkgutil.walk_packages(keywright.__path__, "keywright."):
        importlib.import_module(module.name)

boto3.Session("none", "none", region_name="eu-west-1").client("dynamodb").close()
gc.freeze()
