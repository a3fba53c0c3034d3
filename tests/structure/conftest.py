from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.structure.project import ROOT, Project

SOUND = {
    "functions/native/issue_key.py": """
from keywright.dialects import native

handler = native.endpoint("keys:issue")
app = handler.app


@app.post("/v1/keys")
def issue_key() -> None:
    native.issue()
""",
    "events/native/issue_key.json": "{}",
    "tests/contract/native/test_issue_key.py": "",
    "layers/keywright/Makefile": "KEYWRIGHT_LAYER_PYTHON ?= 3.13\nKEYWRIGHT_LAYER_PLATFORM ?= aarch64-manylinux2014\n",
    "layers/keywright/keywright/__init__.py": "",
    "layers/keywright/keywright/model.py": "import dataclasses\n",
    "layers/keywright/keywright/errors.py": "class KeywrightError(Exception): ...\n",
    "layers/keywright/keywright/issuing.py": "from keywright import errors\nfrom keywright.model import Key\n",
    "layers/keywright/keywright/edge.py": "import aws_lambda_powertools\nfrom keywright import bootstrap, errors\n",
    "layers/keywright/keywright/bootstrap.py": 'import os\nimport boto3\nTABLE = os.environ["KEYWRIGHT_TABLE"]\n',
    "layers/keywright/keywright/adapters/__init__.py": "",
    "layers/keywright/keywright/adapters/boto.py": "import boto3\n",
    "layers/keywright/keywright/adapters/dynamodb.py": '"""Asked by `by_due`."""\n',
    "layers/keywright/keywright/dialects/__init__.py": "",
    "layers/keywright/keywright/dialects/native/__init__.py": "from keywright.dialects.native import wire\n",
    "layers/keywright/keywright/dialects/native/wire.py": "import pydantic\n\nclass NativeKey: ...\n",
    "layers/keywright/keywright/dialects/voltmx/__init__.py": "",
    "layers/keywright/keywright/dialects/voltmx/wire.py": "class AppApiKey: ...\n",
    "template.yaml": """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Architectures: [arm64], Timeout: 10, CodeUri: functions/}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: $default}
  KeyTable:
    Type: AWS::DynamoDB::Table
    Properties:
      GlobalSecondaryIndexes:
        - IndexName: by_due
  CanIssueKeys:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: dynamodb:PutItem
            Resource: !GetAtt KeyTable.Arn
  NativeIssueKey:
    Type: AWS::Serverless::Function
    Properties:
      Handler: native.issue_key.handler
      Policies: [!Ref CanIssueKeys]
      Events:
        Issue:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Path: /v1/keys, Method: POST}
""",
}
"""The smallest tree that breaks no law."""

Change = str | tuple[str, str] | None
Plant = Callable[[Mapping[str, Change]], Project]


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Makes the sound tree with changes by path: another text, a part of the text and what replaces it, or None for no
    such file."""

    def planted(changes: Mapping[str, Change]) -> Project:
        for path, change in {**SOUND, **changes}.items():
            if isinstance(change, tuple):
                old, new = change
                assert old in SOUND[path], f"{old!r} is not in the sound {path}"
                text = SOUND[path].replace(old, new, 1)
            elif change is None:
                continue
            else:
                text = change
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return Project(tmp_path)

    return planted
