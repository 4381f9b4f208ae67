package keyspace

// PrefixFor is for the fuzz target.
var PrefixFor = prefixFor
