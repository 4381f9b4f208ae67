//go:build !unix

package main

import "time"

var began = time.Now()

// processorTime is no less than how long the process has had a processor.
func processorTime() time.Duration { return time.Since(began) }
