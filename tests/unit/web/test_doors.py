"""Opening and closing: three doors, taken ports, sockets left behind."""

import socket
import stat
import threading

import pytest

from driftgauge.config import Intake, Observation, Outside
from driftgauge.web.server import DoorState, split_address


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_every_door_says_where_it_is(served):
    intake, observation = served.states
    assert (intake.name, intake.listen, intake.fault) == ("intake", "127.0.0.1:0", None)
    assert intake.address.startswith("127.0.0.1:")
    assert not intake.address.endswith(":0")
    assert observation.name == "observation"


def test_the_intake_door_answers_all_paths(served):
    assert served.post().status == 200
    assert served.get("/metrics").status == 200
    assert served.get("/").status == 200


def test_the_observation_door_takes_no_records(served):
    assert served.get("/metrics", door="observation").status == 200
    assert served.post(door="observation").problem()[:2] == (404, "not_found")
    assert served.intake.requests == []


def test_the_door_to_the_outside_takes_outcomes_and_nothing_else(serve, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    served = serve(outside=Outside(listen="127.0.0.1:0", token_file=token))
    allowed = {"Authorization": "Bearer secret"}
    assert served.post("/v1/outcomes", door="outside", **allowed).status == 200
    assert served.post("/v1/outcomes", door="outside").status == 401
    for path in ("/metrics", "/", "/healthz", "/v1/models", "/openapi.json"):
        assert served.get(path, door="outside", **allowed).problem()[0] == 404
    assert served.post("/v1/predictions", door="outside", **allowed).problem()[0] == 404


def test_the_door_to_the_outside_does_not_open_without_a_token_file(serve):
    served = serve(outside=Outside(listen="127.0.0.1:0"))
    fault = "outside.token_file: required where outside.listen is given"
    assert served.states[2] == DoorState("outside", "127.0.0.1:0", None, fault)
    assert served.get("/healthz").status == 200


def test_a_token_file_that_is_not_there_yet_keeps_everyone_out(serve, tmp_path):
    token = tmp_path / "token"
    served = serve(outside=Outside(listen="127.0.0.1:0", token_file=token))
    assert served.states[2].fault == f"outside.token_file {token}: no such file or directory"
    assert served.post("/v1/outcomes", door="outside", Authorization="Bearer ").status == 503
    token.write_text("secret")
    assert served.post("/v1/outcomes", door="outside", Authorization="Bearer secret").status == 200
    assert served.doors.states()[2].fault is None


def test_a_taken_port_is_a_fault_and_the_other_door_opens(serve, taken):
    port = taken.getsockname()[1]
    served = serve(observation=Observation(listen=f"127.0.0.1:{port}"))
    fault = f"observation.listen 127.0.0.1:{port}: address already in use"
    assert served.states[1] == DoorState("observation", f"127.0.0.1:{port}", None, fault)
    assert served.post().status == 200


def test_a_taken_port_opens_when_it_is_free_again(serve, taken):
    port = taken.getsockname()[1]
    served = serve(observation=Observation(listen=f"127.0.0.1:{port}"))
    intake = served.states[0]
    taken.close()
    served.states = served.run(served.doors.open())
    assert served.states == (intake, DoorState("observation", *[f"127.0.0.1:{port}"] * 2, None))
    assert served.get("/metrics", door="observation").status == 200


@pytest.mark.parametrize(
    "listen", ["nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "1:70000", "::1:80", ""]
)
def test_an_address_that_is_none_is_a_fault(serve, listen):
    served = serve(observation=Observation(listen=listen))
    assert served.states[1].fault == f"observation.listen {listen}: expected host:port or unix:/path"


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:9877", ("127.0.0.1", 9877)),
        ("localhost:0", ("localhost", 0)),
        (":9877", ("", 9877)),
        ("[::1]:9877", ("::1", 9877)),
    ],
)
def test_an_address_is_a_host_and_a_port(listen, expected):
    assert split_address(listen) == expected


def test_one_address_for_both_is_one_door(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    served = serve(intake=Intake(listen=address), observation=Observation(listen=address))
    assert [state.name for state in served.states] == ["intake"]


def test_any_free_port_twice_is_two_doors(serve):
    served = serve(observation=Observation(listen="127.0.0.1:0"))
    assert [state.name for state in served.states] == ["intake", "observation"]


def speak(path, message: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(message)
        return connection.recv(65536)


POST = b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def test_a_unix_socket_is_a_door(serve, tmp_path):
    path = tmp_path / "s"
    served = serve(intake=Intake(listen=f"unix:{path}"))
    assert served.states[0].address == f"unix:{path}"
    assert speak(path, POST).startswith(b"HTTP/1.1 200 OK\r\n")
    served.stop()
    assert not path.exists()


def test_a_socket_that_a_dead_process_left_is_replaced(serve, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    served = serve(intake=Intake(listen=f"unix:{path}"))
    assert served.states[0].fault is None
    assert speak(path, POST).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_socket_that_somebody_listens_on_is_left_alone(serve, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen()
        served = serve(intake=Intake(listen=f"unix:{path}"))
        assert served.states[0].fault == f"intake.listen unix:{path}: address already in use"
        assert path.exists()


def test_a_file_in_the_place_of_a_socket_is_left_alone(serve, tmp_path):
    path = tmp_path / "s"
    path.write_text("precious")
    served = serve(intake=Intake(listen=f"unix:{path}"))
    assert served.states[0].fault == f"intake.listen unix:{path}: file exists"
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_a_fault(serve, tmp_path):
    served = serve(intake=Intake(listen=f"unix:{tmp_path}/no/s"))
    assert served.states[0].fault == f"intake.listen unix:{tmp_path}/no/s: no such file or directory"


def test_closing_lets_a_request_end_that_is_under_way(served):
    served.intake.gate = threading.Event()
    replies = []
    sender = threading.Thread(target=lambda: replies.append(served.post().status))
    sender.start()
    assert served.intake.entered.wait(10)
    threading.Timer(0.05, served.intake.gate.set).start()
    served.run(served.doors.close())
    sender.join(10)
    assert replies == [200]
    assert [state.address for state in served.doors.states()] == [None, None]


def test_closing_does_not_wait_for_a_request_that_never_ends(served):
    served.intake.gate = threading.Event()
    with socket.create_connection(served.address(), timeout=60) as connection:
        connection.sendall(POST)
        assert served.intake.entered.wait(10)
        served.run(served.doors.close())
        assert connection.recv(65536) == b""
    served.intake.gate.set()


def test_a_closed_door_can_be_opened_again(served):
    served.run(served.doors.close())
    with pytest.raises(ConnectionRefusedError):
        served.post()
    served.states = served.run(served.doors.open())
    assert served.post().status == 200
