"""gcloud loaded once and forked for each command, since loading it takes most of a command's time.

gcloud's own launcher runs this file in place of Python's arguments (CLOUDSDK_PYTHON_ARGS), with its gcloud.py as the
last argument: which Python it takes and where it is installed stays its business. Orders come as JSON lines on the
standard input, `{"words": [...], "environment": {...}, "cwd": PATH, "out": PATH, "err": PATH, "seconds": N}`; each is
answered with the exit code on a line. A command has the environment of its order and what the launcher set.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import sys

GCLOUD = sys.argv[-1]
sys.path[0] = os.path.dirname(GCLOUD)

import gcloud  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from googlecloudsdk.core.configurations import named_configs  # noqa: E402

for name in (
    "gcloud_main", "api_lib.compute.base_classes", "api_lib.compute.transforms", "api_lib.container.api_adapter",
    "api_lib.container.kubeconfig", "command_lib.compute.disks.create", "core.credentials.http",
    "core.credentials.p12_service_account", "core.credentials.requests", "core.credentials.store",
    "generated_clients.apis.compute.alpha.compute_alpha_messages",
    "generated_clients.apis.compute.beta.compute_beta_messages",
    "generated_clients.apis.compute.v1.compute_v1_client", "generated_clients.apis.compute.v1.resources",
):
    # What another release calls otherwise is loaded when a command needs it.
    with contextlib.suppress(ImportError):
        importlib.import_module(f"googlecloudsdk.{name}")

# Each command reads its account's key twice and judges each time whether the numbers in it are prime, which is half of
# what it computes. `gcloud auth activate-service-account`, a process of its own, judges it.
serialization.load_pem_private_key = functools.partial(
    serialization.load_pem_private_key, unsafe_skip_rsa_key_validation=True)


def become(order: dict) -> None:
    """Be the process of this command from here on."""
    signal.alarm(order["seconds"])
    os.chdir(order["cwd"])
    os.environ.update(order["environment"])
    # What is said about flags while gcloud is loaded needs settings, and those would be remembered.
    named_configs.ActivePropertiesFile.Invalidate()
    for number, path in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv[:] = [GCLOUD, *order["words"]]
    gcloud.main()


def serve() -> None:
    """Answer orders until there are no more."""
    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    gc.freeze()
    for line in orders:
        pid = os.fork()
        if not pid:
            return become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)
    return None


serve()
