#!/usr/bin/env bash
# Builds the wheel into target/wheels, for Linux from glibc 2.28 on (manylinux_2_28).
#
#   src/python/build-wheel.sh [PYTHON]        an interpreter with maturin, cargo-zigbuild and ziglang from PyPI
#
# Only the last step, linking, differs from `cargo build --release`: Zig brings the symbols of an older C library,
# so the compiled crates of the release build are used as they are. Linked against the library of this machine, the
# program would ask for the newest version of each function (hypot: 2.35; pthread_*: 2.34) without need.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:-target/python/bin/python}
scripts=$("$python" -c 'import sysconfig; print(sysconfig.get_path("scripts"))')
export PATH="$(cd "$scripts" && pwd):$PATH"

linker=$(pwd)/target/zig-linker.sh
mkdir -p target
cat > "$linker" <<'EOF'
#!/bin/sh
exec cargo-zigbuild zig cc -- -target x86_64-linux-gnu.2.28 "$@"
EOF
chmod +x "$linker"

cd src/python
maturin build --release --compatibility manylinux_2_28 --out ../../target/wheels -- -C linker="$linker"
