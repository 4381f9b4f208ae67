# What people do daily. Everything is a plain go command underneath.

.PHONY: build test oracle lint fuzz bench bench-commands demo ci

build:
	go build -o revenant ./cmd/revenant

test:
	go test ./...

# against etcd's own code
oracle:
	cd oracle && go test ./...

lint:
	gofmt -l .
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

# make fuzz PKG=./decoder/boltpage TARGET=FuzzOpen TIME=10m
TIME ?= 1m
fuzz:
	go test -run '^$$' -fuzz '^$(TARGET)$$' -fuzztime $(TIME) $(PKG)

bench:
	go test -run '^$$' -bench . -benchmem ./...
	cd oracle && go test -run '^$$' -bench . -benchmem ./...

# the commands, on large files, against etcdutl, openssl and cat
bench-commands:
	go run ./bench

demo:
	go run ./cmd/revenant

ci:
	bash .ci/run
