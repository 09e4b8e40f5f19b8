#!/bin/sh
# `check` with no option on every data set of a folder such as `../shared/data`: the ten lines of each, with exit code, time and memory.
# tests/bench/check/run.sh DATA OUTPUT [NAME...]   (NAME: only inputs whose path holds one of these)
# Archives are unpacked into OUTPUT first. Each input takes up to five minutes, some forty inputs about two hours.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
program=${COHORT_FLOW:-$root/target/release/cohort-flow}
[ -x "$program" ] || { echo "build first: cargo build --release" >&2; exit 2; }
[ $# -ge 2 ] || { sed -n '2,5p' "$0" >&2; exit 2; }
data=$(cd "$1" && pwd)
mkdir -p "$2"
output=$(cd "$2" && pwd)
shift 2
for archive in $(find "$data" -name '*.zip'); do
    folder="$output/unpacked/$(basename "$archive" .zip)"
    [ -d "$folder" ] || { mkdir -p "$folder"; (cd "$folder" && python3 -m zipfile -e "$archive" .); }
done

# Databases, signals and pictures are folders; tables are files; an archive stands for what was unpacked from it.
inputs() {
    for name in mimic3-demo mimic4-demo mimic4-demo-meds mimic4-demo-meds/original-0.0.1 mimic4-demo-omop eicu-demo physionet2012 \
        physionet2019 physionet2019/psv_first500 challenge2015 waveforms waveforms/s25047 wfdb-small/mixedsignals mnist cifar10-3000 \
        pneumoniamnist; do
        [ -e "$data/$name" ] && echo "$data/$name"
    done
    find "$data/tables" -name '*.csv' -o -name '*.csv.gz' | sort
    [ -d "$output/unpacked" ] && find "$output/unpacked" -mindepth 1 -maxdepth 1 -type d | sort
}

number=0
inputs | while read -r input; do
    number=$((number + 1))
    if [ $# -gt 0 ]; then
        wanted=no
        for name in "$@"; do case $input in *"$name"*) wanted=yes ;; esac; done
        [ $wanted = yes ] || continue
    fi
    place="$output/$number"
    rm -rf "$place"
    code=0
    /usr/bin/time -f '%e s, %U CPU-seconds, %M kB' -o "$place.time" "$program" check "$input" --output "$place" \
        < /dev/null > "$place.out" 2> "$place.err" || code=$?
    echo "## $input"
    echo "exit $code, $(tail -1 "$place.time")"
    cat "$place.out"
    [ $code = 0 ] || tail -3 "$place.err"
    echo
done
