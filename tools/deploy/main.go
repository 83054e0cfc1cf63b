// Reads what runs the containers as Kubernetes and Docker Compose would, with neither at hand.
//
//	manifests build DIR              print what the kustomization in DIR stands for
//	manifests check                  read manifests from standard input: a field that its kind does
//	                                 not have, or a value of a wrong type, is an error; exit code 1
//	manifests compose FILE PROFILES  print what Compose makes of it with this environment, as JSON
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "build":
		return build(arguments[1])
	case len(arguments) == 1 && arguments[0] == "check":
		return check(os.Stdin)
	case len(arguments) == 3 && arguments[0] == "compose":
		return compose(arguments[1], arguments[2])
	}
	return errors.New("usage: manifests build DIR | check <MANIFESTS | compose FILE PROFILES")
}

func build(folder string) error {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	text, err := built.AsYaml()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// check prints one line an object: its kind, and whether Kubernetes itself knows it.
func check(manifests io.Reader) error {
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	documents := yaml.NewYAMLReader(bufio.NewReader(manifests))
	var wrong []error
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(wrong...)
		}
		if err != nil {
			return err
		}
		_, kind, err := strict.Decode(document, nil, nil)
		switch {
		case runtime.IsMissingKind(err): // a comment between two separators
		case runtime.IsNotRegisteredError(err):
			fmt.Println("foreign", kind.Kind)
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%v: %w", kind, err))
		default:
			fmt.Println("known", kind.Kind)
		}
	}
}

func compose(file, profiles string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithOsEnv, cli.WithProfiles(strings.Split(profiles, ",")))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
