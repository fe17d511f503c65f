package argogate

import (
	"crypto/x509"
	"errors"
	"time"
)

// Options are what whoever runs the controller decides. Templates and rollouts decide
// the rest.
type Options struct {
	Server    string         // URL of the gate that is asked unless a template names another one
	Token     Secret         // for that gate, and sent to no other
	TokenFile string         // holds the token instead; read for each question
	Roots     *x509.CertPool // authorities of the certificate of the gate; nil is those of the machine
	Now       func() time.Time
}

func (o *Options) check() error {
	switch {
	case o.Now == nil:
		return errors.New("argogate: there is no clock")
	case o.Server == "" && (o.Token != "" || o.TokenFile != ""):
		return errors.New("argogate: there is a token without a server that it is for")
	case o.Token != "" && o.TokenFile != "":
		return errors.New("argogate: the token is given twice, as itself and as a file")
	case o.Server == "":
		return nil
	}
	_, err := o.parse([]byte(`{"policy": "any"}`))
	return err
}
