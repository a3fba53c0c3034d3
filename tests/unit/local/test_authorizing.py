"""The gateway's side of a Lambda authorizer: what it asks, and what it makes of each answer."""

from __future__ import annotations

from typing import Any

import pytest

from local.authorizing import question, verdict
from local.gateway import Gateway
from local.runtime import Result
from local.server import Request
from local.template import Authorizer, Route

ARN = "arn:aws:execute-api:eu-west-1:123456789012:local/$default/GET/orders/7"
SIMPLE = Authorizer("Guard", ("authorization",), simple=True)
BY_POLICY = Authorizer("Guard", ("authorization",), simple=False)


def policy(effect: str, resource: Any = ARN, action: Any = "execute-api:Invoke", principal: str = "p") -> Any:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


class Line:
    """A gateway with one guarded route, and what its two functions were asked."""

    def __init__(self, answer: Result, authorizer: Authorizer = SIMPLE) -> None:
        self.asked: dict[str, dict[str, Any]] = {}
        self._answer = answer
        routes = [Route("GET", "/orders/{id}", "Orders", authorizer), Route("GET", "/open", "Orders")]
        self._gateway = Gateway(routes, self._invoke, variables={"keywright_tenant": "t"})

    def _invoke(self, function: str, event: dict[str, Any]) -> Result:
        self.asked[function] = event
        return self._answer if function == "Guard" else Result({"statusCode": 204})

    def get(self, path: str = "/orders/7", **headers: str) -> int:
        try:
            request = Request("GET", path, tuple({"Host": "h", **headers}.items()), b"")
            return self._gateway._respond(request).status
        finally:
            self._gateway.close()


def test_a_route_without_an_authorizer_asks_nobody() -> None:
    line = Line(Result({"isAuthorized": False}))
    assert line.get("/open") == 204
    assert line.asked.keys() == {"Orders"}


def test_without_the_header_nobody_is_asked() -> None:
    line = Line(Result({"isAuthorized": True}))
    assert line.get() == 401
    assert line.asked == {}


def test_the_question_has_what_payload_2_has_and_the_function_learns_the_context() -> None:
    line = Line(Result({"isAuthorized": True, "context": {"key_id": "key_1"}}))
    assert line.get(Authorization="Bearer x") == 204
    asked, event = line.asked["Guard"], line.asked["Orders"]
    assert asked["type"] == "REQUEST"
    assert asked["routeArn"] == ARN
    assert asked["identitySource"] == ["Bearer x"]
    assert asked["routeKey"] == "GET /orders/{id}"
    assert asked["stageVariables"] == {"keywright_tenant": "t"}
    assert "body" not in asked
    assert event["requestContext"]["authorizer"] == {"lambda": {"key_id": "key_1"}}


@pytest.mark.parametrize(
    ("authorizer", "result", "status"),
    [
        (SIMPLE, Result({"isAuthorized": True}), 204),
        (SIMPLE, Result({"isAuthorized": False}), 403),
        (SIMPLE, Result({"isAuthorized": "true"}), 500),
        (SIMPLE, Result(policy("Allow")), 500),
        (SIMPLE, Result({"isAuthorized": True, "context": "x"}), 500),
        (SIMPLE, Result(None), 500),
        (SIMPLE, Result({"errorMessage": "Unauthorized"}, failed=True), 500),
        (BY_POLICY, Result(policy("Allow")), 204),
        (BY_POLICY, Result(policy("Allow", ["arn:aws:execute-api:*:*:local/*"], ["execute-api:*"])), 204),
        (BY_POLICY, Result(policy("Deny")), 403),
        (BY_POLICY, Result(policy("Allow", ARN.replace("orders/7", "orders/8"))), 403),
        (BY_POLICY, Result(policy("Allow", action="lambda:InvokeFunction")), 403),
        (BY_POLICY, Result(policy("Allow", principal="")), 500),
        (BY_POLICY, Result({"isAuthorized": True}), 500),
    ],
)
def test_what_comes_of_each_answer(authorizer: Authorizer, result: Result, status: int) -> None:
    line = Line(result, authorizer)
    assert line.get(Authorization="Bearer x") == status
    assert ("Orders" in line.asked) is (status == 204)


def test_a_denial_beside_a_permission_is_a_denial() -> None:
    answer = policy("Allow")
    answer["policyDocument"]["Statement"] += policy("Deny", "*")["policyDocument"]["Statement"]
    found = verdict(BY_POLICY, Result(answer), {"routeArn": ARN})
    assert found is not None
    assert not found.allowed


def test_all_of_its_headers_must_be_there() -> None:
    event = {"headers": {"a": "1", "b": ""}}
    assert question(Authorizer("Guard", ("a", "b"), simple=True), event) is None
