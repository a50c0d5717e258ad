#!/usr/bin/env bash
# One Apache Kafka node (KRaft) from Maven Central, for tests and benches. Everything stays on
# loopback, in one data directory, and outside the source tree.
#
# usage: kafka.sh install|start|stop|kill|restart|pid|status|wipe
#        kafka.sh topic NAME [PARTITIONS [KEY=VALUE ...]]
#        kafka.sh quota BYTES            what all producers together may send a second; 0: anything
#
# Environment (defaults):
#   SL_CACHE=$HOME/.cache/sluice    the jars are kept here, in kafka-VERSION/
#   KAFKA_DATA                      logs, pid, properties of this broker; by default on tmpfs
#                                   (/dev/shm/sluice-kafka-UID) when that has 4 GiB free, else /tmp
#   KAFKA_PORT=19092                the controller listens on the port after it
#   KAFKA_HEAP=1g
#   KAFKA_CPUS=                     a taskset list; none: all
#   KAFKA_PARTITIONS=1              of topics created on first use
#   KAFKA_BROKERS=1                 ready once it knows of so many: itself, and others of its cluster
#   KAFKA_STOP_S=40                 who has not ended so long after SIGTERM gets SIGKILL
#   KAFKA_JVM=                      more words for the JVM
#   KAFKA_EXTRA="key=value;…"       more lines for server.properties, the last of a key wins
#   KAFKA_PROPERTIES                a file of more such lines, where values have ';' themselves
set -euo pipefail

VERSION=3.9.1
CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qg # any 22 characters of base64
READY_TIMEOUT_S=90
TMPFS_NEEDED_KIB=$((4 * 1024 * 1024))

default_data() {
    local free
    free=$(df -k --output=avail /dev/shm 2>/dev/null | tail -1 || true)
    if [ "${free:-0}" -ge "$TMPFS_NEEDED_KIB" ]; then
        echo "/dev/shm/sluice-kafka-$(id -u)"
    else
        echo "/tmp/sluice-kafka-$(id -u)"
    fi
}

JARS=${SL_CACHE:-$HOME/.cache/sluice}/kafka-$VERSION
CLASSES=$JARS/classes.jsa
DATA=${KAFKA_DATA:-$(default_data)}
PORT=${KAFKA_PORT:-19092}
HEAP=${KAFKA_HEAP:-1g}
PID_FILE=$DATA/broker.pid
PROPERTIES=$DATA/server.properties
LOG=$DATA/server.log

die() {
    echo "kafka.sh: $*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || die "'$1' is missing: apt-get install $2"
}

# The pid in the file lives, and is this broker and not a later process with its number.
running() {
    local pid
    [ -s "$PID_FILE" ] || return 1
    pid=$(cat "$PID_FILE")
    [ -r "/proc/$pid/cmdline" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "kafka.Kafka $PROPERTIES"
}

port_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

# The port opens before the broker is unfenced: ask for metadata.
answers() {
    port_open || return 1
    command -v kcat >/dev/null || return 0
    kcat -b "127.0.0.1:$PORT" -L -m 2 2>/dev/null | grep -q " ${KAFKA_BROKERS:-1} brokers"
}

write_pom() {
    cat >"$1/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice.test</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>$VERSION</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>$VERSION</version>
      <exclusions>
        <exclusion><groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
POM
}

# Into a directory beside the right one, which then takes its name: a broken-off download is not
# taken for a whole one.
install() {
    [ -d "$JARS" ] || fetch
    [ -e "$CLASSES" ] || [ -n "${KAFKA_ARCHIVE:-}" ] || archive || true # slower, but it works
}

fetch() {
    need mvn maven
    local fresh
    mkdir -p "$(dirname "$JARS")"
    fresh=$(mktemp -d "$JARS.XXXXXX")
    write_pom "$fresh"
    echo "kafka.sh: fetching Apache Kafka $VERSION"
    (cd "$fresh" && mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory=lib) || die "Maven could not fetch Kafka"
    ls "$fresh"/lib/kafka_2.13-"$VERSION".jar >/dev/null
    mv -T "$fresh" "$JARS" 2>/dev/null || rm -rf "$fresh" # another one was quicker
}

# The classes that a broker loads, ready for the JVM (class data sharing): a start then takes half of
# the time. Whoever comes first makes it, by a start and a stop of its own.
archive() {
    (
        flock 9
        [ ! -e "$CLASSES" ] || exit 0
        place=$(mktemp -d "$JARS.XXXXXX")
        trap 'rm -rf "$place"' EXIT
        port=$((10000 + RANDOM % 20000))
        export KAFKA_ARCHIVE=$place/classes.jsa KAFKA_DATA=$place/data KAFKA_PORT=$port
        unset KAFKA_EXTRA KAFKA_BROKERS KAFKA_JVM KAFKA_PROPERTIES
        "$0" start >/dev/null 9>&- && "$0" stop >/dev/null && mv "$KAFKA_ARCHIVE" "$CLASSES"
    ) 9>"$JARS.lock"
}

write_properties() {
    mkdir -p "$DATA/logs"
    cat >"$PROPERTIES" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 1))
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$((PORT + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$DATA/logs
num.partitions=${KAFKA_PARTITIONS:-1}
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
min.insync.replicas=1
default.replication.factor=1
group.initial.rebalance.delay.ms=0
log.retention.hours=2
log.segment.bytes=268435456
num.network.threads=2
num.io.threads=2
PROPERTIES
    tr ';' '\n' <<<"${KAFKA_EXTRA:-}" >>"$PROPERTIES"
    [ -z "${KAFKA_PROPERTIES:-}" ] || cat "$KAFKA_PROPERTIES" >>"$PROPERTIES"
}

java_tool() {
    java -Xmx256m -XX:TieredStopAtLevel=1 "-XX:SharedArchiveFile=$CLASSES" -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$JARS/lib/*" "$@"
}

format_logs() {
    [ -f "$DATA/logs/meta.properties" ] && return 0
    java_tool kafka.tools.StorageTool format -t "$CLUSTER_ID" -c "$PROPERTIES" \
        >"$DATA/format.log" 2>&1 || {
        cat "$DATA/format.log" >&2
        die "format failed"
    }
}

launch() {
    local prefix=() classes="-XX:SharedArchiveFile=$CLASSES"
    [ -z "${KAFKA_CPUS:-}" ] || prefix=(taskset -c "$KAFKA_CPUS")
    [ -z "${KAFKA_ARCHIVE:-}" ] || classes="-XX:ArchiveClassesAtExit=$KAFKA_ARCHIVE"
    # shellcheck disable=SC2086 # a list of words
    setsid "${prefix[@]}" java "-Xms$HEAP" "-Xmx$HEAP" -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
        -XX:-UsePerfData "$classes" ${KAFKA_JVM:-} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
        -cp "$JARS/lib/*" kafka.Kafka "$PROPERTIES" >>"$LOG" 2>&1 </dev/null &
    echo $! >"$PID_FILE"
}

start() {
    need java default-jre-headless
    if running; then
        echo "already running, pid $(cat "$PID_FILE")"
        return 0
    fi
    install
    ! port_open || die "port $PORT is taken by something else"
    write_properties
    format_logs
    launch
    local deadline=$((SECONDS + READY_TIMEOUT_S))
    until answers; do
        # Between fork and exec the pid is there under another name.
        [ -d "/proc/$(cat "$PID_FILE")" ] || {
            tail -20 "$LOG" >&2
            die "the broker died at its start"
        }
        [ "$SECONDS" -lt "$deadline" ] || {
            tail -20 "$LOG" >&2
            die "not ready in $READY_TIMEOUT_S s"
        }
        sleep 0.1
    done
    echo "kafka 127.0.0.1:$PORT pid $(cat "$PID_FILE")"
}

# stop TERM|KILL
stop() {
    if ! running; then
        rm -f "$PID_FILE"
        echo "not running"
        return 0
    fi
    local pid deadline=$((SECONDS + ${KAFKA_STOP_S:-40}))
    pid=$(cat "$PID_FILE")
    kill -"$1" "$pid"
    [ "$1" = KILL ] || kill -CONT "$pid" 2>/dev/null || true # one that was stopped hears it too
    while running; do
        [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.1
    done
    while port_open && [ "$SECONDS" -lt $((deadline + 5)) ]; do
        sleep 0.05 # its sockets outlive a process that was killed by a moment
    done
    rm -f "$PID_FILE"
    echo "stopped"
}

status() {
    running || {
        echo "not running"
        exit 3
    }
    local pid
    pid=$(cat "$PID_FILE")
    echo "running pid $pid port $PORT rss_kib $(awk '/VmRSS/{print $2}' "/proc/$pid/status")"
}

topic() {
    local name=$1 partitions=${2:-1} settings=()
    shift $(($# < 2 ? $# : 2))
    local setting
    for setting in "$@"; do
        settings+=(--config "$setting")
    done
    java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$PORT" --create \
        --if-not-exists --topic "$name" --partitions "$partitions" --replication-factor 1 \
        "${settings[@]}"
}

quota() {
    local change=(--add-config "producer_byte_rate=$1")
    [ "$1" != 0 ] || change=(--delete-config producer_byte_rate)
    java_tool kafka.admin.ConfigCommand --bootstrap-server "127.0.0.1:$PORT" --alter \
        "${change[@]}" --entity-type users --entity-default
}

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit 2
}

case "${1:-}" in
    install) install ;;
    start) start ;;
    stop) stop TERM ;;
    kill) stop KILL ;;
    restart) stop TERM && start ;;
    pid) running && cat "$PID_FILE" ;;
    status) status ;;
    wipe)
        ! running || die "stop it first"
        rm -rf "$DATA"
        ;;
    topic)
        [ $# -ge 2 ] || usage
        shift
        topic "$@"
        ;;
    quota)
        [ $# -eq 2 ] || usage
        quota "$2"
        ;;
    *) usage ;;
esac
