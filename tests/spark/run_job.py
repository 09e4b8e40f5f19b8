"""Runs a job of `cohort-flow spark` on Sail, an engine of one process that speaks Spark Connect.

    run_job.py JOB --work WORK --bundle BUNDLE --parts N --cohort-flow PROGRAM
"""

import runpy
import sys

from pysail.spark import SparkConnectServer

server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
_, port = server.listening_address
job = sys.argv[1]
sys.argv = [job, "--remote", f"sc://127.0.0.1:{port}", *sys.argv[2:]]
# The server ends with the process; asked to stop, it waits for its sessions.
runpy.run_path(job, run_name="__main__")
