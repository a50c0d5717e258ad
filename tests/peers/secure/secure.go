// Package secure gives the peers TLS by flags: --tls-cert and --tls-key serve it, --tls-ca demands a
// client certificate, --tls-version serves that version alone.
package secure

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Flags of one program.
type Flags struct {
	cert, key, ca, version string
}

// Register them.
func Register() *Flags {
	f := &Flags{}
	flag.StringVar(&f.cert, "tls-cert", "", "PEM file: serve TLS with it; without it plaintext")
	flag.StringVar(&f.key, "tls-key", "", "PEM file of its key")
	flag.StringVar(&f.ca, "tls-ca", "", "PEM file: demand client certificates issued by it")
	flag.StringVar(&f.version, "tls-version", "", "1.2 or 1.3 alone")
	return f
}

func (f *Flags) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	switch f.version {
	case "":
	case "1.2":
		config.MaxVersion = tls.VersionTLS12
	case "1.3":
		config.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("--tls-version: 1.2 or 1.3, not %q", f.version)
	}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate", f.ca)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// Options for grpc.NewServer: none in plaintext.
func (f *Flags) Options() ([]grpc.ServerOption, error) {
	if f.cert == "" && f.key == "" {
		return nil, nil
	}
	config, err := f.config()
	if err != nil {
		return nil, err
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))}, nil
}
