"""Asked by a REST API, type REQUEST: may whoever holds this key call this method? One read, no secret."""

from keywright.authorizer import Authorizer, RestApi

handler = Authorizer(RestApi())
