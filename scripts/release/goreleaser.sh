#!/usr/bin/env bash
# Runs the goreleaser of a release, and what it calls: scripts/release/goreleaser.sh check
# The go command builds them on first use, in a few minutes, and holds them against its checksum database.
set -euo pipefail
cd "$(dirname "$0")/../.."
goreleaser=v2.16.0 cyclonedx=v1.10.0
unset GOFLAGS
bin=${XDG_CACHE_HOME:-$HOME/.cache}/revenant/goreleaser-$goreleaser-$cyclonedx
if [ ! -x "$bin/goreleaser" ]; then
	GOBIN=$bin go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$cyclonedx
	GOBIN=$bin go install github.com/goreleaser/goreleaser/v2@$goreleaser
fi
PATH=$bin:$PATH exec goreleaser "$@"
