#!/usr/bin/env bash
# Three Apache Kafka nodes (KRaft, each broker and controller), by kafka.sh: replication 3, two in sync
# at least. All on loopback, in one data directory.
#
# usage: cluster.sh start|stop|kill [NODE ...]    without a node: all of them, at the same time
#        cluster.sh pid NODE
#        cluster.sh wipe
#
# Environment: SL_CACHE as in kafka.sh, and
#   KAFKA_DATA          a directory for each node is made there
#   KAFKA_PORT=19192    of 12 in a row. Node N of 1 to 3 listens for clients on the Nth, for controllers
#                       on the Nth from the fourth, and on the Nth from the seventh for clients that come
#                       through a proxy: these are told the Nth port from the tenth, where one may stand
#   KAFKA_HEAP=512m
#   KAFKA_STOP_S=15     after SIGTERM; the last ones have nobody any more to hand their partitions to
#   KAFKA_SESSION_MS=18000    a broker that is silent for so long is out of the cluster
#   KAFKA_LAG_MS=2000         a replica that is behind for so long is no longer in sync
set -euo pipefail

PORT=${KAFKA_PORT:-19192}
DATA=${KAFKA_DATA:?}
NODES="1 2 3"
HERE=$(cd "$(dirname "$0")" && pwd)

client_port() { echo $((PORT + $1 - 1)); }
controller_port() { echo $((PORT + 2 + $1)); }
behind_port() { echo $((PORT + 5 + $1)); }
proxy_port() { echo $((PORT + 8 + $1)); }

properties() {
    local host=127.0.0.1 voters='' node
    for node in $NODES; do
        voters=$voters${voters:+,}$node@$host:$(controller_port "$node")
    done
    tr '\n' ';' <<PROPERTIES
node.id=$1
controller.quorum.voters=$voters
listeners=PLAINTEXT://$host:$(client_port "$1"),PROXIED://$host:$(behind_port "$1"),CONTROLLER://$host:$(controller_port "$1")
advertised.listeners=PLAINTEXT://$host:$(client_port "$1"),PROXIED://$host:$(proxy_port "$1")
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
auto.create.topics.enable=false
broker.session.timeout.ms=${KAFKA_SESSION_MS:-18000}
controller.socket.timeout.ms=2000
replica.lag.time.max.ms=${KAFKA_LAG_MS:-2000}
file.delete.delay.ms=1000
log.retention.check.interval.ms=10000
PROPERTIES
}

# node N WORD...: kafka.sh for one node.
node() {
    local number=$1
    shift
    KAFKA_DATA=$DATA/node$number KAFKA_PORT=$(client_port "$number") KAFKA_BROKERS=3 \
        KAFKA_HEAP=${KAFKA_HEAP:-512m} KAFKA_STOP_S=${KAFKA_STOP_S:-15} \
        KAFKA_JVM=-XX:TieredStopAtLevel=1 KAFKA_EXTRA=$(properties "$number") "$HERE/kafka.sh" "$@"
}

# each WORD NODE...: at the same time; fails when one does.
each() {
    local word=$1 number pids=() pid failed=0
    shift
    for number in "$@"; do
        node "$number" "$word" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || failed=1
    done
    return $failed
}

word=${1:-}
shift || true
case $word in
    start | stop | kill)
        # shellcheck disable=SC2086 # a list of words
        # shellcheck disable=SC2048 # words of one argument, or several
        each "$word" ${*:-$NODES}
        ;;
    pid) node "${1:?}" pid ;;
    wipe) each wipe $NODES && rm -rf "$DATA" ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
        exit 2
        ;;
esac
