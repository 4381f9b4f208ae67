#!/usr/bin/env bash
# Makes the pictures of the README: docs/ui-light.svg and docs/ui-dark.svg from what the program draws in tmux,
# docs/report-light.png and docs/report-dark.png from how Chromium shows a report of the demo.
set -euo pipefail
cd "$(dirname "$0")/.."
(cd oracle/terminal && go test . -count=1 -run '^TestPictures$' -update)

docs=$PWD/docs
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go build -o "$scratch/revenant" ./cmd/revenant
for side in backup current; do
	gunzip -c "internal/demo/$side.db.gz" >"$scratch/$side.db"
done
cd "$scratch"
./revenant report backup.db current.db --platform kubeadm --at-time 2026-11-23T05:00Z -o html=report.html
shot() { # which scheme, by the number that Blink has for it
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-lcd-text --user-data-dir="$scratch/profile" --window-size=1000,860 \
		--blink-settings="preferredColorScheme=$2" --screenshot="$docs/report-$1.png" "file://$scratch/report.html" 2>/dev/null
}
shot dark 0
shot light 1
