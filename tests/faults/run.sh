#!/usr/bin/env bash
# Kills, starves and refuses the program in every way that a machine does, and checks what is left behind:
#
#   tests/faults/run.sh PROGRAM            # the long form: 50 moments for each command, about 20 minutes
#   tests/faults/run.sh PROGRAM --short    # 4 moments for each command
#
# Needs Python 3.9 or later and nothing else. run.py tells what is done and what counts as wrong.
set -euo pipefail
exec python3 "$(dirname "$0")/run.py" "$@"
