#!/usr/bin/env bash
# Makes testdata/etcd/members: the data directories of clusters of etcd 3.4 to 3.7 whose
# members were promoted, moved and removed, and whom they named as members after a
# restart. 3.5.13 does not store a promotion in the bucket of the members.
#
#   scripts/etcd-members.sh
#
# Needs Go, Linux (every address of 127.0.0.0/8), Debian (12 has etcd 3.4.23) and the
# network.
set -euo pipefail
cd "$(dirname "$0")/../oracle"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd "$bin" && apt-get download etcd-server && dpkg-deb -x etcd-server_*.deb debian)
server=go.etcd.io/etcd/server/v3
mkdir "$bin/etcd3513"
(cd "$bin/etcd3513" && go mod init etcd3513 && go get $server@v3.5.13 && go build -o "$bin/etcd-3.5.13" $server)
(cd etcd35 && go build -o "$bin/etcd-3.5" $server)
(cd etcd36 && go build -o "$bin/etcd-3.6" $server)
go build -o "$bin/etcd-3.7" $server
go run ./cmd/members -out ../testdata/etcd/members \
	3.4="$bin/debian/usr/bin/etcd" 3.5.13="$bin/etcd-3.5.13" 3.5="$bin/etcd-3.5" 3.6="$bin/etcd-3.6" 3.7="$bin/etcd-3.7"
