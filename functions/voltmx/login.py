"""POST /authService/accounts/login: a claims token for an hour, for an operator's id and native token."""

from typing import Annotated

from keywright.dialects import voltmx
from keywright.dialects.voltmx import accounts, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = voltmx.login_endpoint()
app = endpoint.app


@app.post("/authService/accounts/login")
def login(found: Annotated[accounts.Account, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> wire.LoggedIn:
    return wire.LoggedIn.of(found.operator, accounts.claims_token(desk, caller, found))


handler = endpoint
