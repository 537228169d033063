package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

// Sprig's functions as Helm has them: without those that read the environment, and with Helm's own.
func functions(root *template.Template) template.FuncMap {
	known := sprig.TxtFuncMap()
	delete(known, "env")
	delete(known, "expandenv")
	for name, function := range own(root) {
		known[name] = function
	}
	return known
}

func own(root *template.Template) template.FuncMap {
	return template.FuncMap{
		"toJson": func(value interface{}) (string, error) {
			text, err := json.Marshal(value)
			return string(text), err
		},
		"toYaml": func(value interface{}) (string, error) {
			text, err := yaml.Marshal(value)
			return strings.TrimSuffix(string(text), "\n"), err
		},
		"fromYaml": func(text string) (object, error) {
			content := object{}
			return content, yaml.Unmarshal([]byte(text), &content)
		},
		"include": func(name string, scope interface{}) (string, error) {
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, scope)
			return out.String(), err
		},
		"tpl": func(text string, scope interface{}) (string, error) {
			copied, err := root.Clone()
			if err != nil {
				return "", err
			}
			parsed, err := copied.New("tpl").Parse(text)
			if err != nil {
				return "", err
			}
			var out strings.Builder
			err = parsed.Execute(&out, scope)
			return out.String(), err
		},
		"required": func(message string, value interface{}) (interface{}, error) {
			if value == nil || value == "" {
				return nil, fmt.Errorf("%s", message)
			}
			return value, nil
		},
	}
}
