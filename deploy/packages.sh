#!/bin/sh
# Debian 12 packages that sluice needs, in one place. Installs those that are missing.
#
# usage: sh deploy/packages.sh build|run|demo|test ...
set -eu

build="gcc libc6-dev cmake ninja-build pkg-config python3 protobuf-c-compiler
    protobuf-compiler libprotobuf-dev
    libnghttp2-dev libprotobuf-c-dev librdkafka-dev libyaml-dev libuv1-dev libmicrohttpd-dev
    libjansson-dev libxxhash-dev libssl-dev zlib1g-dev libcurl4-openssl-dev
    libncurses-dev libcmocka-dev libjs-chart.js"
run="libnghttp2-14 libprotobuf-c1 librdkafka1 libyaml-0-2 libuv1 libmicrohttpd12 libjansson4
    libxxhash0 libssl3 zlib1g libcurl4 libncursesw6 ca-certificates ncurses-base"
demo="kcat curl"
test="mandoc fish zsh git clang libclang-rt-14-dev valgrind python3-venv ca-certificates maven
    default-jdk-headless kcat curl nghttp2-client
    dpkg-dev rpm systemd shellcheck chromium"

die() {
    echo "packages.sh: $*" >&2
    exit 1
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "neither root nor sudo here; as root: $*"
    fi
}

[ $# -gt 0 ] || {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit 2
}
wanted=
for group in "$@"; do
    case $group in
        build) wanted="$wanted $build" ;;
        run) wanted="$wanted $run" ;;
        demo) wanted="$wanted $demo" ;;
        test) wanted="$wanted $test" ;;
        *) die "'$group' is none of build, run, demo, test" ;;
    esac
done
command -v dpkg-query >/dev/null || die "this is not Debian; install what answers to:$wanted"

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "packages.sh: installing$missing"
as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
    >/dev/null
