package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	machinery "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// The API server refuses an unknown field in the same way, with strict validation.
func checkManifests(text []byte) error {
	documents := machinery.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(document, &head); err != nil {
			return err
		}
		object, known := map[string]any{
			"v1 ConfigMap":       &core.ConfigMap{},
			"v1 Service":         &core.Service{},
			"apps/v1 Deployment": &apps.Deployment{},
		}[head.APIVersion+" "+head.Kind]
		if !known {
			return fmt.Errorf("no type for %s %s", head.APIVersion, head.Kind)
		}
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			return fmt.Errorf("%s: %w", head.Kind, err)
		}
	}
}
