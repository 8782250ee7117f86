"""Google's auth library for Java with a key file, over TLS by a store that keytool made, as `gcelib client java` does.

google-cloud-compute itself is in no Debian package: what it would do after signing in is not tried here.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.contract import installed
from tests.live import Live

PROGRAM = Path(__file__).parent / "java_scripts" / "KeyFile.java"


@pytest.fixture(scope="module")
def trusting(secure: Live, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the program with trust in the server's authority; skips where the library is not."""
    jars = installed.java_jars()
    if not jars or not installed.has_java(os.environ["PATH"]):
        pytest.skip("a JDK and Google's auth library (Debian: libgoogle-auth-java) are not installed")
    store = tmp_path_factory.mktemp("java") / "gcelib.p12"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "gcelib", "-file", str(secure.ca), "-keystore",
                    str(store), "-storetype", "PKCS12", "-storepass", "changeit"], check=True, capture_output=True)
    return ["java", f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit", "-cp", jars,
            str(PROGRAM)]


def test_a_key_file_buys_a_token_that_the_api_takes(secure: Live, trusting: list[str]) -> None:
    zones = f"{secure.url}/compute/v1/projects/demo/zones"
    done = subprocess.run([*trusting, str(secure.key_file), zones], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert [zone["name"] for zone in json.loads(done.stdout)["items"]] == ["ch-gv2", "de-adv1", "fr-sg1"]
