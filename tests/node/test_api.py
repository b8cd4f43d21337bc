"""The local API on a real daemon: what it answers, and that no input makes it stumble."""

import http.client
import json
import socket
from typing import Any

import pytest

from mycelia_node.api.server import BODY_SIZE_MAX
from mycelia_node.cli.client import UnixConnection
from node_daemons import Daemon

pytestmark = pytest.mark.daemon

WATER = {"category": "food.water", "title": "Water", "quantity": 5_000, "unit": "mL"}
UNKNOWN = "mycr1" + "q" * 52 + "f4lpyr"


def call(node: Daemon, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Make one call and return status and answer; bytes are sent as they are."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection = UnixConnection(node.ready["socket"], 10)
    connection.request(method, path, data, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_an_offer_has_all_its_fields(oak: Daemon) -> None:
    """What was posted comes back, the place made coarse, with what follows from it."""
    place = {"lat_e7": 449_777_777, "lon_e7": -932_655_555}
    body = {**WATER, "lot": 500, "note": "cold", "expires_ms": 2**50, "place": place}
    status, answer = call(oak, "POST", "/v1/offers", body)
    assert status == 201
    _, offer = call(oak, "GET", f"/v1/offers/{answer['id']}")
    assert offer == {
        **body,
        "id": answer["id"],
        "kind": "offer",
        "author": {"key": oak.ready["key"], "name": "Oak House"},
        "mine": True,
        "expired": False,
        "place": {"lat_e7": 449_700_000, "lon_e7": -932_700_000, "cell_e7": 100_000},
        "terms": "consume",
        "minimum": 0,
        "slots": [],
        "from_ms": None,
        "until_ms": None,
        "carrier": "unknown",
        "audience": [],
        "party": None,
        "renewing": False,
        "status": "open",
        "inexhaustible": False,
        "ask": False,
        "frozen": False,
        "granted": 0,
        "left": 5_000,
        "escrow": 0,
        "withdrawn": False,
        "open": True,
        "time_ms": offer["time_ms"],
        "grants": [],
        "rights": [],
    }


def test_a_request_has_its_own_fields(oak: Daemon) -> None:
    """Urgency and the time it is needed by are a request's own; anytime is the default."""
    body = {**WATER, "category": "home.tent", "unit": "1"}
    _, one = call(oak, "POST", "/v1/requests", body)
    _, two = call(oak, "POST", "/v1/requests", {**body, "urgency": "now", "needed_by_ms": 9})
    _, first = call(oak, "GET", f"/v1/requests/{one['id']}")
    _, second = call(oak, "GET", f"/v1/requests/{two['id']}")
    assert (first["urgency"], first["needed_by_ms"]) == ("anytime", None)
    assert (second["urgency"], second["needed_by_ms"]) == ("now", 9)
    assert (first["filled"], first["lacking"], first["open"]) == (0, 5_000, True)


def test_what_is_lent_has_slots(oak: Daemon) -> None:
    """Slots come back with what is left in each; a slot that is over is not open."""
    slots = [[5, 6], [2**50, 2**51]]
    body = {**WATER, "category": "tool.hand", "unit": "1", "quantity": 2, "terms": "lend"}
    more = {"audience": ["Oak House"], "carrier": "cargo-bike", "minimum": 1}
    _, answer = call(oak, "POST", "/v1/offers", {**body, **more, "slots": slots})
    _, offer = call(oak, "GET", f"/v1/offers/{answer['id']}")
    assert offer["slots"] == [{"from_ms": a, "until_ms": b, "left": 2} for a, b in slots]
    assert (offer["left"], offer["open"], offer["carrier"]) == (4, True, "cargo-bike")
    assert [each["key"] for each in offer["audience"]] == [oak.ready["key"]]
    _, answer = call(oak, "POST", "/v1/offers", {**body, "slots": slots[:1]})
    _, offer = call(oak, "GET", f"/v1/offers/{answer['id']}")
    assert (offer["left"], offer["open"]) == (2, False)


def test_an_expired_offer_is_not_open(oak: Daemon) -> None:
    """What has expired is left out of lists, except with all=1."""
    _, answer = call(oak, "POST", "/v1/offers", {**WATER, "expires_ms": 5})
    lists = [call(oak, "GET", f"/v1/offers?all={flag}")[1]["items"] for flag in (0, 1)]
    found = [[o for o in items if o["id"] == answer["id"]] for items in lists]
    assert found[0] == []
    assert (found[1][0]["expired"], found[1][0]["open"]) == (True, False)


def test_ids_may_be_shortened(oak: Daemon) -> None:
    """Any unique beginning of at least 8 characters stands for the id; case does not matter."""
    _, answer = call(oak, "POST", "/v1/offers", WATER)
    whole = answer["id"]
    for size in range(8, 59):
        text = whole[: len("mycr1") + size]
        status, offer = call(oak, "GET", f"/v1/offers/{text}")
        assert (status, offer.get("id")) == (200, whole), text
    assert call(oak, "GET", f"/v1/offers/{whole.upper()}")[1]["id"] == whole


BAD_CALLS: list[tuple[str, str, object, int, str]] = [
    ("POST", "/v1/offers", b"", 400, "'category' is missing"),
    ("POST", "/v1/offers", b"{", 400, "not JSON"),
    ("POST", "/v1/offers", b"\xff\xfe", 400, "not JSON"),
    ("POST", "/v1/offers", b"[" * 60_000, 400, "not JSON"),
    ("POST", "/v1/offers", [], 400, "not a JSON object"),
    ("POST", "/v1/offers", {**WATER, "titel": "x"}, 400, "Did you mean 'title'"),
    ("POST", "/v1/offers", {**WATER, "quantity": "5"}, 400, "quantity must be an integer"),
    ("POST", "/v1/offers", {**WATER, "quantity": 5.0}, 400, "quantity must be an integer"),
    ("POST", "/v1/offers", {**WATER, "quantity": True}, 400, "quantity must be an integer"),
    ("POST", "/v1/offers", {**WATER, "quantity": 0}, 400, "quantity is 0"),
    ("POST", "/v1/offers", {**WATER, "quantity": -1}, 400, "quantity is -1"),
    ("POST", "/v1/offers", {**WATER, "quantity": 10**9 + 1}, 400, "quantity"),
    ("POST", "/v1/offers", {**WATER, "quantity": 10**400}, 400, "quantity"),
    ("POST", "/v1/offers", {**WATER, "title": ""}, 400, "title"),
    ("POST", "/v1/offers", {**WATER, "title": "x" * 81}, 400, "title"),
    ("POST", "/v1/offers", {**WATER, "title": "\ud800"}, 400, "not Unicode"),
    ("POST", "/v1/offers", {**WATER, "note": "x" * 2_001}, 400, "note"),
    ("POST", "/v1/offers", {**WATER, "unit": "kg"}, 400, "unit is one of"),
    ("POST", "/v1/offers", {**WATER, "category": "water"}, 400, "two-level"),
    ("POST", "/v1/offers", {**WATER, "category": "Food.Water"}, 400, "two-level"),
    ("POST", "/v1/offers", {**WATER, "lot": 3}, 400, "whole lots"),
    ("POST", "/v1/offers", {**WATER, "lot": 0}, 400, "lot"),
    ("POST", "/v1/offers", {**WATER, "expires_ms": 2**53}, 400, "expires_ms"),
    ("POST", "/v1/offers", {**WATER, "place": {}}, 400, "A place is"),
    ("POST", "/v1/offers", {**WATER, "place": {"lat_e7": 1.5, "lon_e7": 0}}, 400, "A place is"),
    (
        "POST",
        "/v1/offers",
        {**WATER, "place": {"lat_e7": 0, "lon_e7": 0, "cell_e7": 0}},
        400,
        "cell_e7",
    ),
    ("POST", "/v1/offers", {**WATER, "place": {"lat_e7": 10**10, "lon_e7": 0}}, 400, "lat_e7"),
    ("POST", "/v1/offers", {**WATER, "terms": "lend"}, 400, "unit of lend is 1"),
    ("POST", "/v1/offers", {**WATER, "slots": [[1, "2"]]}, 400, "a slot is"),
    ("POST", "/v1/offers", {**WATER, "slots": 5}, 400, "slots must be a list"),
    ("POST", "/v1/offers", {**WATER, "audience": ["Nobody"]}, 404, "No member is called"),
    ("POST", "/v1/offers", {**WATER, "carrier": "By air"}, 400, "carrier is a word"),
    ("POST", "/v1/requests", {**WATER, "substitutes": [None]}, 400, "substitutes are"),
    ("POST", "/v1/requests", {**WATER, "on_behalf_of": "river"}, 400, "not the id of a record"),
    ("POST", "/v1/requests", {**WATER, "urgency": "soon"}, 400, "urgency is one of"),
    ("POST", "/v1/requests", {**WATER, "lot": 5}, 400, "Unknown field 'lot'"),
    ("GET", "/v1/offers?mien=1", None, 400, "Did you mean 'mine'"),
    ("GET", "/v1/offers?mine=yes", None, 400, "mine is 0 or 1"),
    ("GET", "/v1/offers/x", None, 400, "begins with mycr1"),
    ("GET", "/v1/offers/mycr1", None, 400, "too short"),
    ("GET", "/v1/offers/mycr1qqqqqqq", None, 400, "too short"),
    ("GET", "/v1/offers/mycr1qqqqqqqb", None, 400, "not the id"),
    ("GET", "/v1/offers/mycr1qqqqqqqq", None, 404, "knows no record"),
    ("GET", f"/v1/offers/{UNKNOWN[:-1]}q", None, 400, "mistyped"),
    ("GET", "/v1/offers/myc1qqqqqqqqqq", None, 400, "not the id"),
    ("GET", f"/v1/offers/mycr1{'q' * 500}", None, 400, "mistyped"),
    ("GET", "/v1/grants/mycr1qqqqqqqq", None, 404, "knows no record"),
    ("POST", "/v1/grants/mycr1qqqqqqqq/accept", {}, 404, "knows no record"),
    ("POST", "/v1/grants/mycr1qqqqqqqq/eat", {}, 404, "Not Found"),
    ("POST", "/v1/grants/mycr1qqqqqqqq/accept", {"quantity": 1}, 400, "Unknown field"),
    ("POST", "/v1/offers/mycr1qqqqqqqq/withdraw", {"why": "x"}, 400, "Unknown field"),
    ("POST", "/v1/invites", {"days": 0}, 400, "days is 1 to 28"),
    ("POST", "/v1/invites", {"days": 29}, 400, "days is 1 to 28"),
    ("POST", "/v1/invites", {"hours": 1}, 400, "Unknown field"),
    ("POST", "/v1/found", {"name": "Again"}, 409, "already"),
    ("POST", "/v1/found", {"name": ""}, 400, "not a name"),
    ("POST", "/v1/found", {"name": "a\nb"}, 400, "not a name"),
    ("POST", "/v1/found", {"name": "x" * 81}, 400, "not a name"),
    ("POST", "/v1/join", {"invite": "mycelia:"}, 409, "already"),
    ("POST", "/v1/join", {}, 400, "'invite' is missing"),
    ("GET", "/v1/status?x=1", None, 400, "Unknown query"),
    ("GET", "/v1/heads?x=1", None, 400, "Unknown query"),
    ("GET", "/v1/burden?x=1", None, 400, "Unknown query"),
    ("GET", "/v1/bundle?fro=x", None, 400, "Did you mean 'for'"),
    ("GET", "/v1/bundle?for=", None, 404, "No member is called"),
    ("GET", "/v1/bundle?for=Nobody", None, 404, "No member is called"),
    ("POST", "/v1/bundle", b"", 400, "no bundle"),
    ("POST", "/v1/bundle", b"\x96\xc4" * 30_000, 400, "no bundle"),
    ("POST", "/v1/bundle?x=1", b"", 400, "Unknown query"),
    ("GET", "/v1/members?x=1", None, 400, "Unknown query"),
    ("GET", "/v1/nothing", None, 404, "Not Found"),
    ("GET", "/", None, 404, "Not Found"),
    ("DELETE", "/v1/offers", None, 405, "Not Allowed"),
    ("POST", "/v1/status", {}, 405, "Not Allowed"),
    ("POST", "/v1/down", {"now": True}, 400, "Unknown field"),
    ("POST", "/v1/offers", b" " * (BODY_SIZE_MAX + 1), 413, "Too Large"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "said"), BAD_CALLS)
def test_a_bad_call_is_explained(
    oak: Daemon, method: str, path: str, body: object, status: int, said: str
) -> None:
    """Each wrong input gets a 4xx with code, message and action; nothing is written; it lives."""
    before = oak.client.get("/v1/heads")
    answer = call(oak, method, path, body)
    assert answer[0] == status, answer
    assert set(answer[1]) == {"code", "message", "action"}
    assert said in f"{answer[1]['message']} {answer[1]['action']}"
    assert oak.client.get("/v1/heads") == before
    assert "Traceback" not in oak.log.read_text()


def test_a_node_tells_what_others_make_it_keep(oak: Daemon) -> None:
    """Of each kind there is one row, and none is beyond its bound."""
    rows = oak.client.get("/v1/burden")["items"]
    assert all(0 <= row["amount"] <= row["bound"] for row in rows)
    whats = [row["what"] for row in rows]
    assert len(set(whats)) == len(whats)
    assert {"records beyond gaps", "links without greeting", "bytes to send on one link"} <= {
        *whats
    }


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02",
        b"\0" * 70_000,
    ],
)
def test_bytes_that_are_no_http(oak: Daemon, data: bytes) -> None:
    """Garbage on the socket ends that connection and nothing else."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(oak.ready["socket"])
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4_096):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert oak.status()["state"] == "running"
    assert "Traceback" not in oak.log.read_text()


def test_a_watcher_that_goes_away(oak: Daemon) -> None:
    """A reader of events that just leaves does not trouble the node."""
    connection = UnixConnection(oak.ready["socket"], 10)
    connection.request("GET", "/v1/events")
    response = connection.getresponse()
    assert response.readline() == b"\n"
    response.close()
    connection.close()
    for _ in range(3):
        oak.offer()
    assert oak.status()["state"] == "running"
    assert "Traceback" not in oak.log.read_text()


def test_watchers_are_bounded(oak: Daemon) -> None:
    """Only so many may watch at once; when they go, others can."""
    connections: list[UnixConnection] = []
    statuses = []
    responses: list[http.client.HTTPResponse] = []
    for _ in range(33):
        connection = UnixConnection(oak.ready["socket"], 10)
        connection.request("GET", "/v1/events")
        response = connection.getresponse()
        statuses.append(response.status)
        connections.append(connection)
        responses.append(response)
    for response in responses:
        response.close()
    for connection in connections:
        connection.close()
    assert statuses == [200] * 32 + [429]


def test_the_socket_is_private(oak: Daemon) -> None:
    """Only the owner can open the socket."""
    assert (oak.home / "s").stat().st_mode & 0o777 == 0o600
