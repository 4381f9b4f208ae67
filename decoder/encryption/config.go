package encryption

// configuration is the file that an API server is given, as k8s.io/apiserver v0.37
// pkg/apis/apiserver/v1 types_encryption.go has it.
type configuration struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Resources  []struct {
		Resources []string   `json:"resources"`
		Providers []provider `json:"providers"`
	} `json:"resources"`
}

type provider struct {
	AESGCM    *keys     `json:"aesgcm"`
	AESCBC    *keys     `json:"aescbc"`
	Secretbox *keys     `json:"secretbox"`
	Identity  *struct{} `json:"identity"`
	KMS       *struct {
		APIVersion string `json:"apiVersion"`
		Name       string `json:"name"`
		CacheSize  *int32 `json:"cachesize"`
		Endpoint   string `json:"endpoint"`
		Timeout    any    `json:"timeout"`
	} `json:"kms"`
}

type keys struct {
	Keys []struct {
		Name   string `json:"name"`
		Secret string `json:"secret"`
	} `json:"keys"`
}
