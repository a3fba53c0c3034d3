"""Asked by an HTTP API, payload format 2.0: may whoever holds this key call this route? One read, no secret."""

from keywright.authorizer import Authorizer, HttpApi

handler = Authorizer(HttpApi())
