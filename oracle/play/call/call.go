// Package call is what a stub program and the world that it belongs to tell each other:
// JSON over a Unix socket, a question and an answer a connection.
package call

// Environment variables of a stub: the world's socket, the host that it is on, and
// whether sudo called it.
const (
	Socket = "PLAY_SOCKET"
	Host   = "PLAY_HOST"
	Root   = "PLAY_ROOT"
)

// Question is a call of a program.
type Question struct {
	Host    string
	Program string
	Args    []string
	Dir     string // it is called in
	Root    bool
}

// Answer is what the program prints and ends with, or what it becomes.
type Answer struct {
	Out, Err string
	Code     int
	Exec     []string // the program that it becomes, after it has printed; none to end
	Env      []string // of that, beyond its own
	Dir      string   // it is in then; "" its own
}
