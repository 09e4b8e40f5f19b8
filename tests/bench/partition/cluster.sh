#!/usr/bin/env bash
# Starts a Spark of two workers with one core each from PyPI's pyspark, runs a job on it, and optionally kills a worker
# with kill -9 while tasks run. Needs Java 17 and a Python with pyspark, pyarrow and pandas.
#
#   cluster.sh PYTHON WORKERS WATCHED JOB [options of the job]
#
# WATCHED is a folder: when something appears in it (the first parts), a worker is killed; - kills nobody.
set -euo pipefail
python=$1 workers=$2 watched=$3; shift 3
export SPARK_HOME=$("$python" -c 'import pyspark, os; print(os.path.dirname(pyspark.__file__))')
export PYSPARK_PYTHON=$python PYSPARK_DRIVER_PYTHON=$python SPARK_NO_DAEMONIZE=1 SPARK_LOCAL_IP=127.0.0.1
logs=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT
run() { setsid "$SPARK_HOME/bin/spark-class" "$@" >>"$logs/log" 2>&1 & pids+=($!); }
run org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 17077 --webui-port 18080
sleep 6
for i in $(seq "$workers"); do
  run org.apache.spark.deploy.worker.Worker --cores 1 --memory 2g --webui-port $((18080 + i)) --work-dir "$logs/w$i" spark://127.0.0.1:17077
done
sleep 6
if [ "$watched" != - ]; then
  # An executor of the last worker dies in the middle of its stage, and its worker with it.
  (until [ -n "$(ls "$watched" 2>/dev/null)" ]; do sleep 0.1; done
   victim=${pids[-1]}
   executor=$(pgrep -P "$victim" -f CoarseGrainedExecutorBackend | head -1 || true)
   echo "kill -9 of worker $victim and its executor ${executor:-(none)}"
   kill -9 "$victim" ${executor:-}) &
fi
start=$(date +%s.%N)
"$SPARK_HOME/bin/spark-submit" --master spark://127.0.0.1:17077 --driver-memory 1g --executor-memory 1500m \
  --conf spark.sql.shuffle.partitions="${SHUFFLE:-8}" --conf spark.ui.enabled=false \
  --conf spark.sql.execution.pyspark.udf.faulthandler.enabled=false "$@" 2>"$logs/driver" || { tail -30 "$logs/driver"; exit 1; }
echo "$(python3 -c "import time; print(round(time.time() - $start, 1))") seconds in the job with $workers workers"
grep -c "Lost executor\|ExecutorLostFailure\|Lost task" "$logs/driver" | sed 's/$/ lines of the driver tell of lost executors or tasks/' || true
