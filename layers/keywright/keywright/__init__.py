"""Keywright's shared layer: the core, the dialects and the adapters.

What is re-exported here is the core's vocabulary: values, ports and the root of all errors. It needs nothing but the
standard library. The deeds are modules of their own: `issuing`, `lifecycle`, `registry`, `verification`, `expiry`.
"""

from keywright.access import Principal as Principal
from keywright.errors import KeywrightError as KeywrightError
from keywright.model import Key as Key
from keywright.model import KeyKind as KeyKind
from keywright.model import Owner as Owner
from keywright.model import OwnerRef as OwnerRef
from keywright.model import Tenant as Tenant
from keywright.model import Verification as Verification
from keywright.model import Version as Version
from keywright.ports import Desk as Desk
from keywright.tokens import Token as Token
