//go:build tools

// Package tools pins what the set-up builds with Go where nothing quicker is to be had: go.mod names the versions,
// go.sum their checksums. It is never compiled itself.
//
// To raise a version: go get <module>@<version> && go mod tidy
package tools

import (
	_ "github.com/nats-io/nats-server/v2"
	_ "github.com/nats-io/natscli/nats"
)
