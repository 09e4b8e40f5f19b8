#!/usr/bin/env bash
# Whether two release builds give the same bytes: compiles the program's own crate twice, in two folders of different
# names, and compares the programs.
#
#   tests/supply/reproducible.sh [--all | --quick]
#
# The dependencies are those of the release build in `target`, which both folders link to; with --all they are compiled
# twice as well (half an hour). With --quick the crate is built without optimisation, which takes a tenth of the time.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
# Beside the build, so that its files can be linked to instead of being copied.
mkdir -p "$target"
work=$(mktemp -d "$target/reproducible.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CARGO_INCREMENTAL=0
options=(--release --locked --bin cohort-flow)
[ "${1:-}" != --quick ] || options+=(--config profile.release.package.cohort-flow.opt-level=0)

for folder in "$work/one" "$work/another-and-longer-name"; do
  if [ "${1:-}" != --all ] && [ -d "$target/release" ]; then
    mkdir -p "$folder/release"
    for part in build deps .fingerprint; do
      cp -al "$target/release/$part" "$folder/release/$part"
    done
    # What was built of the crate itself is unlinked, and with it the name that would be written into.
    find "$folder/release" -depth -name 'cohort[-_]flow*' -exec rm -rf {} +
    find "$folder/release" -name 'libcohort_flow*' -delete
  fi
  CARGO_TARGET_DIR=$folder cargo build "${options[@]}"
done
sha256sum "$work"/*/release/cohort-flow
cmp "$work/one/release/cohort-flow" "$work/another-and-longer-name/release/cohort-flow"
echo "both builds have the same bytes"
