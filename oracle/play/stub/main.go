// Command stub stands for every program that a host of a runbook has: it tells the world
// of package play what it is called with, and does what that answers.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"revenant/oracle/play/call"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stub:", err)
		os.Exit(120)
	}
}

func run() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", os.Getenv(call.Socket))
	if err != nil {
		return err
	}
	q := call.Question{Host: os.Getenv(call.Host), Program: filepath.Base(os.Args[0]), Args: os.Args[1:], Dir: dir, Root: os.Getenv(call.Root) != ""}
	if err := json.NewEncoder(conn).Encode(&q); err != nil {
		return err
	}
	var a call.Answer
	if err := json.NewDecoder(conn).Decode(&a); err != nil {
		return err
	}
	conn.Close()
	os.Stdout.WriteString(a.Out)
	os.Stderr.WriteString(a.Err)
	if len(a.Exec) == 0 {
		os.Exit(a.Code)
	}
	for _, s := range a.Env {
		name, value, _ := strings.Cut(s, "=")
		os.Setenv(name, value)
	}
	if a.Dir != "" {
		if err := os.Chdir(a.Dir); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(a.Exec[0])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: command not found\n", a.Exec[0])
		os.Exit(127)
	}
	return syscall.Exec(path, a.Exec, os.Environ())
}
