#!/usr/bin/env bash
# Makes docs/ui-light.svg and docs/ui-dark.svg from what the program draws in tmux.
set -euo pipefail
cd "$(dirname "$0")/../oracle/terminal"
go test . -count=1 -run '^TestPictures$' -update
