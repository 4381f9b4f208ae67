#!/usr/bin/env bash
# Writes the manual pages and the completion of every shell into a directory: scripts/release/files.sh DIR
# With SOURCE_DATE_EPOCH set the same source gives the same bytes.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
GOOS='' GOARCH='' go build -buildvcs=auto -o "$scratch/revenant" ./cmd/revenant
rm -rf "$out/man" "$out/completions"
mkdir -p "$out/completions"
"$scratch/revenant" man "$out/man"
gzip -9n "$out"/man/*.1
for shell in bash zsh fish powershell; do
	"$scratch/revenant" completion "$shell" >"$out/completions/revenant.$shell"
done
