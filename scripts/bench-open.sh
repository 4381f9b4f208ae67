#!/usr/bin/env bash
# Opens and indexes a snapshot of a million revisions (1.3 GB) and holds the time
# against etcdutl and openssl on the same file, run in turns, and the memory
# against its bound. Exits 1 when a bound is not met.
#
#   scripts/bench-open.sh [RUNS]     default 7
#
# The file is made once and kept in ${REVENANT_BENCH_DIR:-~/.cache/revenant-bench};
# 3 GB of disk while it is made, 1.3 GB after. Needs Go, openssl and Linux.
set -euo pipefail
cd "$(dirname "$0")/../oracle"

runs=${1:-7}
dir=${REVENANT_BENCH_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/revenant-bench}
file=$dir/million.db
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT

go build -o "$bin/" ./cmd/bigsnap ./cmd/openbench
go build -o "$bin/etcdutl" go.etcd.io/etcd/etcdutl/v3
mkdir -p "$dir"
if [ ! -f "$file" ]; then
	echo "making $file" >&2
	"$bin/bigsnap" -o "$file.part"
	mv "$file.part" "$file"
fi

# timed NAME COMMAND... appends the command's wall time in seconds to $bin/NAME.
timed() {
	local name=$1 start end
	shift
	start=${EPOCHREALTIME/,/.}
	"$@" >/dev/null
	end=${EPOCHREALTIME/,/.}
	awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f\n", b - a }' >>"$bin/$name"
}

# The first round only warms the page cache.
for round in $(seq 0 "$runs"); do
	[ "$round" -ne 1 ] || rm -f "$bin"/*.times
	timed status.times "$bin/etcdutl" snapshot status "$file"
	timed index.times "$bin/openbench" -skip-hash-check "$file"
	timed openssl.times openssl dgst -sha256 "$file"
	timed verify.times "$bin/openbench" "$file"
done
median() { sort -n "$bin/$1.times" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
"$bin/openbench" -memory "$file" >"$bin/memory.json"
number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$bin/memory.json"; }

awk -v status="$(median status)" -v index_="$(median index)" -v openssl="$(median openssl)" -v verify="$(median verify)" \
	-v rss="$(number rssAnon)" -v bound="$(number bound)" -v revisions="$(number revisions)" -v keys="$(number keys)" \
	-v size="$(stat -c %s "$file")" -v runs="$runs" '
function line(what, ours, theirs, limit) {
	ok = ours <= theirs * limit
	failed += !ok
	printf "%-34s %8.3f s  of %8.3f s  ratio %.3f  at most %.2f  %s\n", what, ours, theirs, ours / theirs, limit, ok ? "ok" : "FAILED"
}
BEGIN {
	printf "%d bytes, %d revisions of %d keys, medians of %d runs\n", size, revisions, keys, runs
	line("index, to etcdutl snapshot status", index_, status, 0.2)
	line("index and verify, to openssl", verify, openssl, 1.3)
	ok = rss <= bound
	failed += !ok
	printf "%-34s %8.1f MiB of %7.1f MiB  ratio %.3f  at most 1.00  %s\n", "peak RssAnon, to its bound", rss / 2^20, bound / 2^20, rss / bound, ok ? "ok" : "FAILED"
	exit failed > 0
}'
