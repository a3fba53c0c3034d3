"""local.server, spoken to over a bare socket: what comes is passed on as it came, and nonsense gets a 4xx."""

import socket
from collections.abc import Iterator

import pytest

from local.server import MAX_BODY, Request, Response, Server

seen: list[Request] = []


def respond(request: Request) -> Response | None:
    seen.append(request)
    if request.target == "/vanish":
        return None
    return Response(int(request.header("x-status") or 200), (("X-Heard", "yes"),), b"<" + request.body + b">")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(respond)
    server.start()
    yield server
    server.close()


def talk(server: Server, sent: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(sent)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
        return answer


def test_the_target_and_the_names_of_headers_stay_as_they_came(server: Server) -> None:
    head = b"GET //a%2Fb/%zz?x=1&x=%20 HTTP/1.1\r\nHost: h\r\nTECHNICIAN_KEY: k\r\nx-Many: 1\r\nX-many: 2\r\n"
    assert b"200" in talk(server, head + b"Connection: close\r\n\r\n")
    assert seen[-1].target == "//a%2Fb/%zz?x=1&x=%20"
    assert seen[-1].headers[:4] == (("Host", "h"), ("TECHNICIAN_KEY", "k"), ("x-Many", "1"), ("X-many", "2"))
    assert seen[-1].peer == "127.0.0.1"


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    first = b"POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
    answer = talk(server, first + b"POST /2 HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\ntwo")
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"<one>") < answer.index(b"<two>")


def test_a_chunked_body_arrives_in_one_piece(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"<hello there>" in talk(server, head + b"6;x=y\r\nhello \r\n5\r\nthere\r\n0\r\nTrailer: t\r\n\r\n")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x", "message/rfc822"])
def test_what_would_be_odd_in_a_mail_is_passed_on(server: Server, kind: str) -> None:
    head = f"POST / HTTP/1.1\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n"
    assert b"<ok>" in talk(server, head.encode() + b"ok")


def test_whoever_asks_first_is_told_to_go_on(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(b"ok")
        assert b"<ok>" in line.recv(1000)


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", b"200"), (b"GET", b"204"), (b"GET", b"304")])
def test_an_answer_that_has_no_body_has_none(server: Server, method: bytes, status: bytes) -> None:
    answer = talk(server, method + b" / HTTP/1.1\r\nConnection: close\r\nx-status: " + status + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.endswith(b"\r\n\r\n")
    assert (b"Content-Length: 2" in answer) is (method == b"HEAD")


def test_without_an_answer_the_connection_breaks(server: Server) -> None:
    assert talk(server, b"GET /vanish HTTP/1.1\r\n\r\n") == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon at all\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n: no name\r\nHost: h\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:60]),
)
def test_what_is_no_http_gets_a_4xx_and_a_closed_line(server: Server, sent: bytes) -> None:
    before = len(seen)
    answer = talk(server, sent)
    assert answer[9:10] == b"4"
    assert b"Connection: close" in answer
    assert b'{"message": "' in answer
    assert len(seen) == before


@pytest.mark.parametrize("framing", [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"])
def test_a_body_of_more_than_ten_megabytes_is_too_large(server: Server, framing: bytes) -> None:
    size = MAX_BODY + 1
    answer = talk(server, b"POST / HTTP/1.1\r\n" + framing % size + b"a" * size)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b'{"message": "Request Entity Too Large"}')


def test_a_busy_port_says_so_at_once(server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(respond, port=server.port)
