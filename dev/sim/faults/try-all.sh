#!/bin/sh
# Puts each fault of this folder into the core or presence, one after the other, and has the simulator
# find it.
# Usage: dev/sim/faults/try-all.sh [SEEDS]     (default 0..5000; ten minutes, to compile)
set -eu
seeds=${1:-0..5000}
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
tree=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$tree"' EXIT
git -C "$root" worktree add --quiet --detach "$tree" HEAD
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/faults"

missed=0
for fault in "$root"/dev/sim/faults/*.patch; do
    name=$(basename "$fault" .patch)
    git -C "$tree" apply "$fault"
    (cd "$tree" && RUSTFLAGS=-Awarnings cargo build --quiet -p securecall-sim)
    if found=$("$CARGO_TARGET_DIR/debug/securecall-sim" --first --seeds "$seeds"); then
        echo "NOT FOUND  $name"
        missed=1
    else
        echo "found      $name: $(echo "$found" | tail -n 1)"
    fi
    git -C "$tree" checkout --quiet .
done
exit "$missed"
