// Checks a file against the types of an orchestrator's own API, and prints what these do not have: orchestrators nomad|kubernetes FILE.
package main

import (
	"fmt"
	"os"
)

func main() {
	kind, file := os.Args[1], os.Args[2]
	text, err := os.ReadFile(file)
	if err == nil {
		switch kind {
		case "nomad":
			err = checkJob(file, text)
		case "kubernetes":
			err = checkManifests(text)
		default:
			err = fmt.Errorf("unknown kind %q", kind)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
