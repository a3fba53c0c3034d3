"""template.yaml and the endpoint together: what a deployment would make, made in moto.

    with Stack.from_template("template.yaml") as stack:
        stack.client("dynamodb")               # as an administrator, for seeding and looking
        stack.environment("NativeIssueKey")    # os.environ of that function, with its own access key
        stack.template.functions["NativeIssueKey"].handler, .path
        stack.aws.calls, .decisions, .clear(), .fault

The data lives as long as the stack. moto keeps it per account and process: two stacks at a time need two accounts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from moto.kms.models import kms_backends

from local.aws import KEY_PREFIX, Aws
from local.template import ACCOUNT, Function, Key, Table, Template, TemplateError

PARAMETERS = {"Stage": "local", "MailSender": "keys@keywright.example", "MailIdentity": "keywright.example"}
"""The stage marks the tokens made here, so that they cannot be taken for those of a deployment."""

_open: set[str] = set()


class Stack:
    """Opening one raises TemplateError for what cannot be made."""

    def __init__(self, template: Template, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises PolicyError for a policy the judge cannot read, OSError for a port that is taken."""
        self.template = template
        self.aws = Aws(template, host, port)
        self._session = boto3.Session("administrator", "local", region_name=template.region)

    @classmethod
    def from_template(
        cls, path: str | Path, parameters: Mapping[str, str] | None = None, *, account: str = ACCOUNT, port: int = 0
    ) -> Stack:
        return cls(Template.load(path, PARAMETERS if parameters is None else parameters, account=account), port=port)

    @property
    def url(self) -> str:
        return self.aws.server.url

    def __enter__(self) -> Self:
        if self.template.account in _open:
            self.aws.server.close()
            raise RuntimeError(f"a stack is open in account {self.template.account}; give this one another")
        _open.add(self.template.account)
        self.aws.server.start()
        try:
            self._make()
        except (ClientError, ParamValidationError) as error:
            self.__exit__(None, None, None)
            raise TemplateError(" ".join(str(error).split())) from error
        self.aws.clear()
        return self

    def _make(self) -> None:
        for table in self.template.tables.values():
            self._make_table(table)
        for key in self.template.keys.values():
            self._make_key(key)
        for bus in self.template.event_buses:
            self.client("events").create_event_bus(Name=bus)
        for queue in self.template.queues:
            self.client("sqs").create_queue(QueueName=queue)
        for identity in self.template.identities:
            self.client("sesv2").create_email_identity(EmailIdentity=identity)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.aws.server.close()
        self.aws.forget()
        _open.discard(self.template.account)

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.url, config=Config(proxies={}))  # type: ignore[call-overload]

    def environment(self, function: str) -> dict[str, str]:
        """What Lambda would put into os.environ. AWS's own configuration files on this machine are kept out, and
        AWS_SAM_LOCAL tells Powertools that there is no X-Ray daemon."""
        return self.environment_of(self.template.functions[function])

    def environment_of(self, declared: Function) -> dict[str, str]:
        """The same for a function of another template. It has no right to anything here."""
        return {
            **declared.variables,
            "AWS_ACCESS_KEY_ID": f"{KEY_PREFIX}{declared.logical_id}",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": self.template.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(declared.memory),
            "AWS_LAMBDA_FUNCTION_NAME": declared.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": declared.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{declared.logical_id}",
            "AWS_REGION": self.template.region,
            "AWS_SAM_LOCAL": "true",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LAMBDA_TASK_ROOT": str(declared.path[0]),
            "TZ": ":UTC",
            "_HANDLER": declared.handler,
        }

    def _make_table(self, table: Table) -> None:
        client = self.client("dynamodb")
        create_table(client, table, table.name)
        if recovery := table.properties.get("PointInTimeRecoverySpecification"):
            client.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=recovery)

    def _make_key(self, key: Key) -> None:
        """Through moto's backend: the API lets nobody choose the id, and a committed file names it."""
        backend = kms_backends[self.template.account][self.template.region]
        properties = key.properties
        made = backend.create_key(
            policy=json.dumps(properties["KeyPolicy"]) if "KeyPolicy" in properties else None,
            key_usage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
            key_spec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
            description=properties.get("Description", ""),
            tags=[],
        )
        del backend.keys[made.id]
        made.id, made.arn = key.id, key.arn
        made.key_rotation_status = properties.get("EnableKeyRotation", False)
        backend.keys[key.id] = made


def create_table(client: Any, table: Table, name: str) -> None:
    """Keys, indexes, stream and time to live, as CloudFormation would make them."""
    known = client.meta.service_model.operation_model("CreateTable").input_shape.members
    # Encryption and tags have no bearing here, and CloudFormation spells streams differently from the API.
    wanted = {
        member: value
        for member, value in table.properties.items()
        if member in known and member not in {"SSESpecification", "Tags"}
    }
    if "StreamSpecification" in wanted:
        wanted["StreamSpecification"] = {"StreamEnabled": True, **wanted["StreamSpecification"]}
    client.create_table(**{**wanted, "TableName": name})
    if expiry := table.properties.get("TimeToLiveSpecification"):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
