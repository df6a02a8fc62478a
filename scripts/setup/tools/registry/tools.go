//go:build tools

// Package registry pins the image registry, apart from the NATS tools because it needs many modules that they do not.
package registry

import _ "github.com/distribution/distribution/v3/cmd/registry"
