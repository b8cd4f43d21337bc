"""Links to wss:// addresses: what verifies them is read only when it is needed."""

import asyncio
import datetime
import ipaddress
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mycelia_node.certificates import FILE, trusted
from mycelia_node.transport import PATH, connect, new_session

HOST = "127.0.0.1"
DEADLINE_S = 10
AS_A_DAEMON = """
import json, os
from mycelia_node.certificates import import_aiohttp
import_aiohttp()
import mycelia_node.daemon
from aiohttp import connector
from mycelia_node.certificates import trusted
made = connector._SSL_CONTEXT_VERIFIED.cert_store_stats()
print(json.dumps([made["x509"], trusted().cert_store_stats()["x509"], os.environ["SSL_CERT_FILE"]]))
"""


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Return the files of a certificate for this host, and of its key."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "oak")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    paths = folder / "oak.pem", folder / "oak.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_a_daemon_reads_no_certificates_before_it_dials_a_wss_address(tmp_path: Path) -> None:
    """They took 2 MiB and a tenth of its start; what its owner set is as it was afterwards."""
    certificate, _ = self_signed(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", AS_A_DAEMON],
        env={**os.environ, FILE: str(certificate), "SSL_CERT_DIR": os.devnull},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(told.stdout) == [0, 1, str(certificate)]


@asynccontextmanager
async def behind_proxy(folder: Path) -> AsyncIterator[tuple[Path, str, str]]:
    """Yield a certificate, the wss:// address where it is shown, and a ws:// one that leads there.

    That is what many proxies make of `http://` addresses.
    """
    certificate, key = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def accept(request: web.Request) -> web.StreamResponse:
        if not request.secure:
            raise web.HTTPMovedPermanently(f"https://{HOST}:{ports[0]}{PATH}")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get(PATH, accept)
    runner = web.AppRunner(app)
    await runner.setup()
    for shown in (context, None):
        await web.TCPSite(runner, HOST, 0, ssl_context=shown).start()
    ports = [address[1] for address in runner.addresses]
    try:
        yield certificate, f"wss://{HOST}:{ports[0]}{PATH}", f"ws://{HOST}:{ports[1]}{PATH}"
    finally:
        trusted.cache_clear()
        await runner.cleanup()


@pytest.mark.parametrize("is_direct", [True, False])
async def test_an_address_is_linked_if_this_machine_trusts_who_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_direct: bool
) -> None:
    """And refused if it does not, though Noise would tell later who it is.

    It counts who shows a certificate in the end, also where a proxy sends a ws:// link on.
    """
    async with behind_proxy(tmp_path) as (certificate, direct, led), new_session() as session:
        address = direct if is_direct else led
        async with asyncio.timeout(DEADLINE_S):
            for file, is_linked in ((os.devnull, False), (str(certificate), True)):
                monkeypatch.setenv(FILE, file)
                trusted.cache_clear()
                if is_linked:
                    await (await connect(session, address)).close()
                    continue
                with pytest.raises(OSError, match="certificate verify failed"):
                    await connect(session, address)
