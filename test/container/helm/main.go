// Renders a chart with Go's own template engine and sprig, as `helm template NAME CHART` does with it: the same options
// of the engine, the same functions beside sprig's, values by way of JSON. For a chart without dependencies, hooks and
// a schema of its values: it refuses one that has any.
//
//	usage: render NAME CHART VALUES.json
//
// Prints a JSON object, with the text of each template by the name of its file.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: render NAME CHART VALUES.json"))
	}
	rendered, err := render(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(rendered); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func render(name, chart, valuesFile string) (map[string]string, error) {
	for _, unknown := range []string{"charts", "crds", "values.schema.json", "Chart.lock"} {
		if _, err := os.Stat(filepath.Join(chart, unknown)); err == nil {
			return nil, fmt.Errorf("this does not know what Helm makes of %s", unknown)
		}
	}
	about, err := read(filepath.Join(chart, "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	values, err := read(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return nil, err
	}
	given, err := read(valuesFile)
	if err != nil {
		return nil, err
	}
	return renderAll(name, chart, about, merge(values, given))
}

// By way of JSON, as Helm does it: every number is a float64.
func read(file string) (object, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	content := object{}
	return content, yaml.Unmarshal(text, &content)
}

// What is given wins; maps are merged, lists are replaced, and null takes a value away.
func merge(values, given object) object {
	for key, own := range given {
		before, isMap := values[key].(object)
		inner, alsoMap := own.(object)
		switch {
		case own == nil:
			delete(values, key)
		case isMap && alsoMap:
			values[key] = merge(before, inner)
		default:
			values[key] = own
		}
	}
	return values
}

func renderAll(name, chart string, about, values object) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	// A value that is not there is an empty text in Helm, unless it is asked to be strict. Strict is what is wanted here.
	root := template.New("chart").Option("missingkey=error")
	root.Funcs(functions(root))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if _, err := root.New(filepath.Base(file)).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	scope := object{
		"Values":       values,
		"Chart":        chartOf(about),
		"Release":      object{"Name": name, "Namespace": "default", "Service": "Helm", "Revision": 1, "IsInstall": true, "IsUpgrade": false},
		"Capabilities": object{"KubeVersion": object{"Version": "v1.27.0", "Major": "1", "Minor": "27"}},
	}
	rendered := map[string]string{}
	for _, file := range files {
		base := filepath.Base(file)
		if strings.HasPrefix(base, "_") {
			continue
		}
		scope["Template"] = object{"Name": base, "BasePath": "templates"}
		var out strings.Builder
		if err := root.ExecuteTemplate(&out, base, scope); err != nil {
			return nil, err
		}
		rendered[base] = out.String()
	}
	return rendered, nil
}

// Chart.yaml has appVersion, and templates say .Chart.AppVersion.
func chartOf(about object) object {
	chart := object{}
	for key, value := range about {
		chart[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return chart
}
