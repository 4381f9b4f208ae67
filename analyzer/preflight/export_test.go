package preflight

import "flag"

// Update rewrites what testdata expects.
var Update = flag.Bool("update", false, "rewrite what testdata expects")
