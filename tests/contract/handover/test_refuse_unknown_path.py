"""Whatever lies under /h and is no link"""

from __future__ import annotations

import pytest

from tests.bundle import Bundle
from tests.contract.handover.test_show_link import is_a_page


@pytest.mark.parametrize("path", ["/h", "/h/", "/h/one/two", "/h/one/", "/h//one"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_is_no_links_leads_nowhere(bundle: Bundle, method: str, path: str) -> None:
    answer = bundle.request(method, path)
    is_a_page(answer, 404, "This link leads nowhere")
    assert answer.calls == ()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_a_method_that_a_link_does_not_have_is_refused(bundle: Bundle, method: str) -> None:
    answer = bundle.request(method, f"/h/{'A' * 43}")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"
    assert answer.calls == ()
