// Package scrub takes out of a snapshot what its cluster is about, and leaves how it is
// built: records as etcd stores them go in, and are changed in place.
//
// Names, labels, addresses, images and uids become pseudonyms: of the same length and of
// the same kinds of characters, the same for one name wherever it stands, in any number of
// snapshots that are scrubbed with one Key. Everything else that a person or a program
// could have written is overwritten: messages, annotations, environments, commands, the
// content of Secrets and ConfigMaps, fields that no type is known for, and whole values
// that cannot be read. What stays is what is listed here: Kubernetes' own words, where its
// types have them (words.txt), versions, numbers of known fields, quantities and times.
//
// No record gets longer or shorter, so revisions, sizes and the structure of objects stay,
// and whoever has a scrubbed snapshot sees them. Neither keys nor values are written
// anywhere by this package; decoder/snapshotfile does that, from nothing. Audit reads what
// was written and refuses what it cannot account for.
package scrub
