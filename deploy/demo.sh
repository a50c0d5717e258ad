#!/bin/sh
# See it work, on a bare Debian 12: simulated devices, sluice, a Kafka for trials, records as they
# land; then Kafka stands still, devices are held, and in the end nothing is missing.
#
# usage: sh deploy/demo.sh [--short] [--binary SLUICE]
#
#   --short    less to look at, and an end: what continuous integration runs
#   --binary   this sluice, rather than packages and a release build
#
# In a terminal it goes on until Ctrl-C; otherwise it ends after the check at the end, exit 0 or 1.
set -eu
cd "$(dirname "$0")/.."

DEVICES=3
RATE=50           # messages a second and device: the trial broker keeps 5 MB of a partition
WATCH_S=6
STALL_S=8
CATCH_UP_S=30
COLUMNS=${COLUMNS:-150}
short=
binary=
while [ $# -gt 0 ]; do
    case $1 in
        --short) short=1 WATCH_S=3 STALL_S=6 ;;
        --binary)
            [ $# -ge 2 ] || { echo "demo.sh: --binary wants a path" >&2; exit 2; }
            binary=$2
            shift
            ;;
        *)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
            exit 2
            ;;
    esac
    shift
done

say() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}

die() {
    echo "demo.sh: $*" >&2
    exit 1
}

# Only what was started here, by its number.
started=
clean_up() {
    trap - EXIT INT TERM
    for pid in $started; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$dir"
}
dir=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: in the background; what it prints goes to $dir/NAME.log, its number to $pid
start() {
    log=$dir/$1.log
    shift
    "$@" >"$log" 2>&1 &
    pid=$!
    started="$started $pid"
}

# until_true SECONDS WHAT COMMAND...
until_true() {
    tries=$(($1 * 5))
    what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || {
            tail -n 8 "$dir"/*.log >&2
            die "$what: not in time"
        }
        sleep 0.2
    done
}

build() {
    say "Packages and a release build"
    sh deploy/packages.sh build demo
    cmake --preset release >"$dir/build.log" || { cat "$dir/build.log"; die "configure failed"; }
    cmake --build --preset release --target sluice -- --quiet
    binary=build/release/cmd/sluice/sluice
}

write_configuration() {
    {
        cat <<CONFIGURATION
collector:
  name: demo
  memory: 64MiB
  admin: {listen: "$admin"}
subscriptions:
  counters:
    paths: [/interfaces/interface/state/counters]
    stream-mode: target-defined
    credit: {initial: 16KiB}   # small, so that a stall shows within a second
sinks:
  kafka: {type: kafka, brokers: ["$broker"], topic: telemetry, key: "\${target}"}
targets:
CONFIGURATION
        number=0
        grep '^listening ' "$dir/sim.log" | while read -r _ address; do
            number=$((number + 1))
            echo "  device$number: {address: \"$address\", insecure: true}"
        done
    } >"$dir/sluice.yaml"
}

metrics() {
    curl -sf --max-time 2 "http://$admin/metrics"
}

has_lines() { # FILE COUNT PATTERN
    [ "$(grep -c "$3" "$1" 2>/dev/null)" -ge "$2" ]
}

is_publishing() {
    metrics | awk '/^sluice_updates_published_total/ { sum += $2 } END { exit !(sum > 0) }'
}

# A line for each stream: the four parts of its credit, the time it was blocked, who holds it.
show_ledger() {
    metrics | awk '
        function label(name) {
            match($0, name "=\"[^\"]*\"")
            return substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3)
        }
        /^sluice_stream_credit_bytes/ { part[label("target"), label("state")] = $NF; seen[label("target")] }
        /^sluice_stream_held/ { held[label("target")] = $NF; by[label("target")] = label("sink") "/" label("topic") }
        /^sluice_stream_blocked_seconds/ { blocked[label("target")] = $NF }
        END {
            printf "  %-10s %10s %10s %10s %12s   %s\n", "device", "granted B", "held B", "free B",
                "blocked s", "held by"
            for (i = 1; ("device" i) in seen; i++) {
                d = "device" i
                printf "  %-10s %10d %10d %10d %12.1f   %s (%d updates)\n", d,
                    part[d, "granted"] + part[d, "assembling"], part[d, "held"], part[d, "pending"],
                    blocked[d], by[d], held[d]
            }
        }'
}

# What the consumer has: for each stream the header counts 1, 2, 3 …, and so does the device itself.
# Prints the last number of each device; with "check" says what is missing.
read_back() {
    awk -v check="${1:-}" '
        /^sluice=/ {
            split(substr($1, 8), header, ";")
            stream = header[1] ";" header[4] ";" header[5]
            device = header[4]
            match($0, /"[^"]*\/sluice-sim\/state\/seq": *[0-9]+/)
            text = substr($0, RSTART, RLENGTH)
            sub(/.*:/, "", text)
            if (header[2] != seq[stream] + 1 || text + 0 != last[device] + 1) {
                missing++
            }
            seq[stream] = header[2]
            last[device] = text + 0
            records++
        }
        END {
            for (device in last) {
                printf "%s%s read back: 1 … %d\n", check ? "  " : "", device, last[device]
            }
            if (check) {
                printf "  %d records, %d out of sequence\n", records, missing
                exit !(records > 0 && missing == 0)
            }
        }' "$dir/kcat.log"
}

# The last number that each device says it has sent, summed; and what was read back.
sent() {
    tail -n $((DEVICES + 1)) "$dir/sim.log" | sed -n 's/^stream .* seq=\([0-9]*\) .*/\1/p' |
        awk '{ sum += $1 } END { print sum + 0 }'
}

has_read() {
    [ "$(read_back | awk '{ sum += $NF } END { print sum + 0 }')" -ge "$1" ]
}

[ -n "$binary" ] || build
[ -x "$binary" ] || die "no $binary"
for tool in kcat curl awk; do
    command -v "$tool" >/dev/null || die "'$tool' is missing: sh deploy/packages.sh demo"
done

say "A Kafka for trials, $DEVICES simulated devices, and sluice between them"
start broker "$binary" broker
broker_pid=$pid
until_true 10 "the broker's address" has_lines "$dir/broker.log" 1 '127\.0\.0\.1:[0-9]'
broker=$(grep -o '127\.0\.0\.1:[0-9]*' "$dir/broker.log" | head -1)
start sim "$binary" sim --listen 127.0.0.1:0 --ports each --devices "$DEVICES" --interfaces 2 \
    --updates 3 --rate "$RATE" --verbose
until_true 10 "the devices' addresses" has_lines "$dir/sim.log" "$DEVICES" '^listening '
admin=127.0.0.1:$((20000 + $$ % 12000)) # below those that the kernel hands out
write_configuration
cat "$dir/sluice.yaml"
start sluice "$binary" run -c "$dir/sluice.yaml"
until_true 20 "records in Kafka" is_publishing

say "Records as they land in Kafka (kcat)"
start kcat kcat -C -q -u -b "$broker" -t telemetry -o beginning -f '%h %k %s\n'
until_true 20 "records read by kcat" has_lines "$dir/kcat.log" 10 '^sluice='
timeout "$WATCH_S" tail -n 5 -f "$dir/kcat.log" | cut -c "1-$COLUMNS" || true

say "Kafka stands still (SIGSTOP) for $STALL_S s: sluice gives no more credit, the devices are held"
show_ledger
kill -STOP "$broker_pid"
second=0
while [ "$second" -lt "$STALL_S" ]; do
    sleep 2
    second=$((second + 2))
    echo "  after $second s:"
    show_ledger
done
metrics | awk '/^sluice_stream_blocked\{/ { held += $NF } END { exit !(held > 0) }' ||
    die "no device is held"

say "Kafka goes on (SIGCONT): credit returns with each acknowledgement, the devices with it"
kill -CONT "$broker_pid"
before=$(sent)
until_true "$CATCH_UP_S" "everything the devices sent" has_read $((before + DEVICES * RATE))
show_ledger

say "Is anything missing? Both counts of each record: sluice's, and the device's own"
read_back check || die "records are missing"
echo "  no sequence missing"

if [ -z "$short" ] && [ -t 1 ]; then
    say "It runs on: http://$admin/metrics, kcat -C -b $broker -t telemetry. Ctrl-C ends it."
    while sleep 5; do
        show_ledger
    done
fi
say "done"
