// Package series reads many snapshots of one cluster as one history.
//
// It takes files of evidence, in any order, each with a way to glance at it and a way to
// open it. It returns a Series: its members in the order of their revisions, the branches
// into which restores and forks have split their history, the revisions that each member
// holds, and the holes between them, which no member holds. A member is opened on demand,
// and closed again when others are needed: a series costs what is looked at.
//
// Two members are of one history if the newer one's records are the older one's, byte for
// byte, as far as both retain them (package lineage has the invariants). A few records
// show that: below a revision at which two histories agree they agree in all, and above
// one at which they differ they have nothing in common. Where records cannot decide,
// because a bump has left none to compare or a file is damaged, the two are opened and
// compared whole.
//
// Snapshots of another cluster are refused by name. What cannot be opened is left out,
// and named.
package series
