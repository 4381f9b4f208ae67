package snapshot

// BackendSize is the size of the db as a running etcd counts it against its quota, in
// bytes: all pages up to the newest one, free ones included (etcd server/v3 v3.7
// storage/backend/backend.go Size, bbolt Tx.Size). What a log or delta files add is not
// in it.
func (s *Snapshot) BackendSize() int64 { return s.pages.Meta().Size() }
