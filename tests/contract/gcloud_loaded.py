"""gcloud loaded once and forked for each command, since loading it takes most of a command's time.

gcloud's own launcher runs this file in place of Python's arguments (CLOUDSDK_PYTHON_ARGS), with its gcloud.py as the
last argument: which Python it takes and where it is installed stays its business. Orders come as JSON lines on the
standard input, `{"words": [...], "out": PATH, "err": PATH, "seconds": N}`; each is answered with the exit code on a
line.
"""

import gc
import json
import os
import signal
import sys

GCLOUD = sys.argv[-1]
sys.path[0] = os.path.dirname(GCLOUD)

import gcloud  # noqa: E402
from googlecloudsdk import gcloud_main  # noqa: E402,F401
from googlecloudsdk.api_lib.compute import base_classes  # noqa: E402,F401
from googlecloudsdk.core.credentials import store  # noqa: E402,F401
from googlecloudsdk.generated_clients.apis.compute.v1 import compute_v1_client  # noqa: E402,F401


def become(order: dict) -> None:
    """Be the process of this command from here on."""
    signal.alarm(order["seconds"])
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
