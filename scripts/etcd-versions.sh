#!/usr/bin/env bash
# Makes testdata/etcd/versions: what etcd 3.4, 3.5, 3.6 and 3.7 leave behind after
# the same writes, and what they answered. The servers are built from their
# modules as the go.mod files below oracle/ pin them; 3.4, which builds as no
# module, is Debian's.
#
#   scripts/etcd-versions.sh
#
# Needs Go, Debian (12 has etcd 3.4.23) and the network.
set -euo pipefail
cd "$(dirname "$0")/../oracle"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd "$bin" && apt-get download etcd-server && dpkg-deb -x etcd-server_*.deb debian)
server=go.etcd.io/etcd/server/v3
(cd etcd35 && go build -o "$bin/etcd-3.5" $server)
(cd etcd36 && go build -o "$bin/etcd-3.6" $server)
go build -o "$bin/etcd-3.7" $server
go run ./cmd/versions -out ../testdata/etcd/versions \
	3.4="$bin/debian/usr/bin/etcd" 3.5="$bin/etcd-3.5" 3.6="$bin/etcd-3.6" 3.7="$bin/etcd-3.7"
