"""Speaks HL7 over MLLP to the running daemon: with `mllp_send` of the PyPI package `hl7`, with that
package's client class, and with a plain socket that writes byte by byte. Checks every acknowledgement,
then what the page's board and the journal say. Exits 1 at the first difference."""

import argparse
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

import hl7
from hl7.client import MLLPClient

VT, FS, CR = b"\x0b", b"\x1c", b"\x0d"
OLDEST_CUFF = "20260301094500+0000"


def message(control, rows, mode="AL|NE", kind="ORU^R01^ORU_R01"):
    head = [
        rf"MSH|^~\&|PEER^00AA00FFFE00CC01^EUI-64||||20260301101500+0000||{kind}"
        f"|{control}|P|2.6|||{mode}||UNICODE UTF-8",
        "PID|||PEER-1^^^CLINIC^MR||Doe^Jo",
        "PV1||O|INF^^CHAIR9",
        "OBR|1|||182777000^monitoring of patient^SCT|||20260301101500+0000",
    ]
    return "\r".join(head + rows) + "\r"


def row(code, path, value, unit, status="R", time=""):
    return f"OBX|1|NM|{code}|{path}|{value}|{unit}|||||{status}|||{time}"


def vitals(spo2, rate):
    return [
        row("150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.2.1.1", spo2, "262688^MDC_DIM_PERCENT^MDC"),
        row("147842^MDC_ECG_HEART_RATE^MDC", "1.1.1.1", rate, "264864^MDC_DIM_BEAT_PER_MIN^MDC"),
        row("151708^MDC_CONC_AWAY_CO2_ET^MDC", "1.3.1.1", "5.1", "265987^MDC_DIM_KILO_PASCAL^MDC"),
        row("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "1.4.1.1", "131", "266016^MDC_DIM_MMHG^MDC", "R", OLDEST_CUFF),
        row("150022^MDC_PRESS_BLD_NONINV_DIA^MDC", "1.4.1.2", "82", "266016^MDC_DIM_MMHG^MDC", "R", OLDEST_CUFF),
    ]


def check(what, condition, detail=""):
    if not condition:
        print(f"peers: {what}: not as expected\n{detail}", file=sys.stderr)
        sys.exit(1)
    print(f"peers: {what}")


def acknowledged(answer, code, control):
    """The answer parses with the peer's own parser and says what it should."""
    parsed = hl7.parse(answer.decode().strip("\x0b\x1c\r") + "\r")
    msa = parsed.segment("MSA")
    return str(msa[1]) == code and str(msa[2]) == control


def connect(port, patience):
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def one_frame(link):
    """Reads up to the end of one frame, however it is cut."""
    got = b""
    while not got.endswith(FS + CR):
        piece = link.recv(1)
        if not piece:
            break
        got += piece
    return got


def clients(port):
    connect(port, 20).close()

    with MLLPClient("127.0.0.1", port) as client:
        for n, (mode, code) in enumerate([("AL|NE", "CA"), ("NE|AL", "AA"), ("|", "AA")]):
            answer = client.send_message(message(f"PY{n}", vitals(97, 71 + n), mode))
            check(f"MLLPClient, {mode}", acknowledged(answer, code, f"PY{n}"), answer)
        answer = client.send_message(message("ADT1", [], "|", "ADT^A01"))
        check("MLLPClient, a message that is not for us", acknowledged(answer, "AR", "ADT1"), answer)

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "loose.hl7"
        text = message("LOOSE1", vitals(96, 74)) + message("LOOSE2", vitals(95, 75))
        file.write_text(text.replace("\r", "\r\n"), newline="")
        sent = subprocess.run(
            ["mllp_send", "--loose", "--port", str(port), "--file", str(file), "127.0.0.1"],
            capture_output=True,
            check=True,
        )
        answers = sent.stdout.decode(errors="replace")
        check(
            "mllp_send --loose with CRLF",
            "MSA|CA|LOOSE1" in answers and "MSA|CA|LOOSE2" in answers,
            answers,
        )

    with connect(port, 1) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in VT + message("RAW1", vitals(94, 76)).encode() + FS + CR:
            link.send(bytes([byte]))
        check("one byte at a time", acknowledged(one_frame(link), "CA", "RAW1"))
        both = b"".join(
            VT + message(f"RAW{n}", vitals(93, 75 + n)).encode() + FS + CR for n in (2, 3)
        )
        link.sendall(b"noise" + both)
        for n in (2, 3):
            check(f"two messages in one write, {n}", acknowledged(one_frame(link), "CA", f"RAW{n}"))
        link.sendall(VT + b"cut off in the mid" + VT + message("RAW4", vitals(92, 79)).encode() + FS)
        check("restart, and no trailer", acknowledged(one_frame(link), "CA", "RAW4"))


def told(runtime, journal):
    address = (runtime / "address").read_text().strip()
    with urllib.request.urlopen(f"http://{address}/api/v1/now", timeout=10) as answer:
        board = json.load(answer)
    numbers = {one["parameter"]: one for one in board["vitals"]}
    expected = {"spo2": 92, "hr": 79, "etco2": 38.3, "nibp-sys": 131, "nibp-dia": 82}
    for parameter, value in expected.items():
        check(f"board shows {parameter} {value}", numbers[parameter]["value"] == value, numbers)
    check("the cuff is half an hour old", numbers["nibp-sys"]["age_s"] >= 1800, numbers)
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as record:
        rows = record.execute(
            "select value from v_vitals where parameter = 'spo2' and value is not null order by wall_time"
        ).fetchall()
    values = [int(value) for (value,) in rows]
    check("the record holds every acknowledged reading", values == [97, 97, 97, 96, 95, 94, 93, 93, 92], values)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--runtime", type=pathlib.Path, help="leave out to check the answers only")
    options.add_argument("--journal", type=pathlib.Path)
    chosen = options.parse_args()
    clients(chosen.port)
    if chosen.runtime:
        told(chosen.runtime, chosen.journal)


main()
