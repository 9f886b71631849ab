// Package steps has what the programs of the scenario share: how they tell what they have done.
package steps

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
)

const (
	Script    = "return {KEYS[1], ARGV[1], 7, {'x'}}"
	Increment = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
	OwnError  = "return redis.error_reply('MINE own words')"
	Both      = "return redis.call('MGET', KEYS[1], KEYS[2])"
	Text      = "grüße\r\n€"
)

// NotHere is raised by a step that the client has nothing for.
type NotHere string

// Step is one of the scenario.
type Step struct {
	Name string
	Do   func()
}

// Odd has all bytes there are.
func Odd() string {
	all := make([]byte, 256)
	for n := range all {
		all[n] = byte(n)
	}
	return string(all)
}

// Address of the server, or of what the variable names.
func Address(variable string) string { return "127.0.0.1:" + os.Getenv(variable) }

// HasCluster tells whether there is a cluster to try.
func HasCluster() bool { return os.Getenv("REDIS_CLUSTER_PORT") != "" }

// TLS trusts the authority of the server, or with false those of the system alone.
func TLS(trusting bool) *tls.Config {
	config := &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if trusting {
		text, err := os.ReadFile(os.Getenv("REDIS_CA"))
		Check(err)
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			panic(errors.New("no certificate in REDIS_CA"))
		}
	}
	return config
}

// Check fails the step if there is an error.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must has the value, and fails if there is an error.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Same fails unless what was got is what was wanted.
func Same(got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Errorf("%.200q (%T) instead of %.200q (%T)", fmt.Sprint(got), got, fmt.Sprint(wanted), wanted))
	}
}

// True fails unless it holds.
func True(holds bool, what string) {
	if !holds {
		panic(errors.New(what))
	}
}

// Fails fails unless the error is one of the server that begins so.
func Fails(err error, beginning string) {
	if err == nil || !strings.HasPrefix(err.Error(), beginning) {
		panic(fmt.Errorf("%v instead of an error with %s", err, beginning))
	}
}

func try(step Step) (line string, failed bool) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case NotHere:
			line = fmt.Sprintf("none %s: %s", step.Name, string(thrown))
		default:
			debug.PrintStack()
			failed = true
			line = fmt.Sprintf("fail %s: %v", step.Name, thrown)
			line = strings.Join(strings.Fields(line), " ")
		}
	}()
	step.Do()
	return "ok " + step.Name, false
}

// Run does the steps one after the other, and ends the program.
func Run(module string, steps []Step) {
	version := "?"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, each := range info.Deps {
			if each.Path == module {
				version = strings.TrimPrefix(each.Version, "v")
			}
		}
	}
	fmt.Println("version", module, version)
	status := 0
	for _, step := range steps {
		line, failed := try(step)
		fmt.Println(line)
		if failed {
			status = 1
		}
	}
	os.Exit(status)
}
