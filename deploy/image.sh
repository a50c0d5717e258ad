#!/bin/sh
# The file system of the image: the program, what it is linked with, and nothing else.
#
# usage: image.sh PROGRAM FOLDER
set -eu

program=$1
image=$2

put() {
    mkdir -p "$image$(dirname "$1")"
    cp -L "$1" "$image$1"
}

# libraries_of FILE: each that the loader would find for it
libraries_of() {
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        put "$library"
    done
}

libraries_of "$program"
mkdir -p "$image/usr/bin"
cp "$program" "$image/usr/bin/sluice"
# Opened when they are wanted: sources of targets, the table on a terminal, names of hosts.
for name in libcurl.so.4 libncursesw.so.6 libnss_dns.so.2 libnss_files.so.2; do
    library=$(ldconfig -p | grep -o "/[^ ]*/$name" | head -n 1)
    if [ -n "$library" ]; then
        put "$library"
        libraries_of "$library"
    fi
done
put /etc/ssl/certs/ca-certificates.crt
[ ! -d /usr/share/terminfo/x ] || put /usr/share/terminfo/x/xterm-256color
[ ! -e /lib/terminfo/x/xterm-256color ] || put /lib/terminfo/x/xterm-256color
printf 'hosts: files dns\n' >"$image/etc/nsswitch.conf"
printf 'root:x:0:0::/:/none\nsluice:x:65532:65532::/var/lib/sluice:/none\n' >"$image/etc/passwd"
printf 'root:x:0:\nsluice:x:65532:\n' >"$image/etc/group"
mkdir -p "$image/etc/sluice" "$image/tmp" "$image/var/lib/sluice"
chmod 1777 "$image/tmp"
chown 65532:65532 "$image/var/lib/sluice"
