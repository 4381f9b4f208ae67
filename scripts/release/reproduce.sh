#!/usr/bin/env bash
# Builds all that a release publishes twice, in two directories and with a build cache each, and compares it.
set -euo pipefail
cd "$(dirname "$0")/../.."
commit=$(git rev-parse HEAD)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
scripts/release/goreleaser.sh check
published() { (cd "$1/dist" && cat checksums.txt && sha256sum -- krew/* homebrew/Casks/*); }
for place in "$scratch/one" "$scratch/another/directory"; do
	mkdir -p "$place"
	git clone --quiet . "$place/revenant"
	git -C "$place/revenant" checkout --quiet --detach "$commit"
	(cd "$place/revenant" && GOCACHE=$place/cache scripts/release/goreleaser.sh release --snapshot --clean --skip=sign,docker)
	published "$place/revenant" >"$place/published"
	rm -rf "$place/cache"
done
diff "$scratch/one/published" "$scratch/another/directory/published"
cat "$scratch/one/published"
echo 'both builds are the same'
