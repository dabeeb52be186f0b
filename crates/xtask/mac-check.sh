#!/usr/bin/env bash
# Types and lints for macOS from a Linux machine: `available`, or `check|clippy [cargo arguments]`. Never links, never runs.
# Uses Debian's rustc-web, which brings the standard library's source, so that it can be built for a target rustup has not got.
set -euo pipefail

triple=${MAC_TARGET:-aarch64-apple-darwin}
verb=${1:?usage: mac-check.sh available | check | clippy [cargo arguments]}
shift

if [ "$verb" = available ]; then
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo-clippy ] &&
        [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]
    exit
fi

target=${CARGO_TARGET_DIR:-target}/mac
mkdir -p "$target/tools"
tools=$(cd "$target/tools" && pwd)

# Build scripts that compile C get empty objects: nothing is ever linked. Their questions go to the real compiler.
# Written only when they change: cc's users rebuild when its date does.
tool() {
    local new
    new=$(cat)
    [ "$new" = "$(cat "$tools/$1" 2>/dev/null)" ] && return
    printf '%s\n' "$new" >"$tools/$1"
    chmod +x "$tools/$1"
}
tool cc <<'SH'
#!/bin/sh
for arg in "$@"; do
    case $arg in
    -E) exec /usr/bin/cc -E "$@" 2>/dev/null ;;
    --version | -v) exec /usr/bin/cc --version ;;
    esac
done
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then : >"$2"; fi
    shift
done
SH
tool ar <<'SH'
#!/bin/sh
for arg in "$@"; do
    case $arg in *.a) : >"$arg" ;; esac
done
SH

name=$(echo "$triple" | tr - _)
export "CC_$name=$tools/cc" "CXX_$name=$tools/cc" "AR_$name=$tools/ar"
# The system's compiler, not rustup's, also for what cargo itself starts; its own build of std needs the nightly switch.
export PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
unset CARGO RUSTUP_TOOLCHAIN
exec /usr/bin/cargo "$verb" -Z build-std --target "$triple" --target-dir "$target" "$@"
