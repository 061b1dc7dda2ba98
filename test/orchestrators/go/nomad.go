package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
)

// The tags of these types are what Nomad's parser of jobs reads them by.
func checkJob(file string, text []byte) error {
	parsed, diagnostics := hclparse.NewParser().ParseHCL(text, file)
	if diagnostics.HasErrors() {
		return diagnostics
	}
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "job" {
			return unknown(block.TypeRange, "block", block.Type)
		}
		if err := checkBody(block.Body, reflect.TypeFor[api.Job]()); err != nil {
			return err
		}
	}
	return nil
}

func checkBody(body *hclsyntax.Body, kind reflect.Type) error {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	// A map is free: the driver checks its config, for example.
	if kind.Kind() != reflect.Struct {
		return nil
	}
	attributes, blocks := fieldsOf(kind)
	for name, attribute := range body.Attributes {
		if _, known := attributes[name]; !known {
			return unknown(attribute.NameRange, "attribute", name)
		}
	}
	for _, block := range body.Blocks {
		inner, known := blocks[block.Type]
		if !known {
			return unknown(block.TypeRange, "block", block.Type)
		}
		if err := checkBody(block.Body, inner); err != nil {
			return err
		}
	}
	return nil
}

func fieldsOf(kind reflect.Type) (attributes map[string]struct{}, blocks map[string]reflect.Type) {
	attributes, blocks = map[string]struct{}{}, map[string]reflect.Type{}
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, option, _ := strings.Cut(field.Tag.Get("hcl"), ",")
		switch {
		case name == "":
		case option == "block":
			blocks[name] = field.Type
		case option != "label":
			attributes[name] = struct{}{}
		}
	}
	return attributes, blocks
}

func unknown(where hcl.Range, what, name string) error {
	return fmt.Errorf("%s: Nomad knows no %s %q here", where, what, name)
}
