//go:build foreign

// Package foreign is never built: it names the programs of others that the tests run, so that go.mod
// pins them.
package foreign

import (
	_ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
	_ "github.com/summerwind/h2spec/cmd/h2spec"
	_ "google.golang.org/grpc/interop/client"
)
