// Command reload serves a value of its configuration file and reloads the file in one of
// the usual ways, each as its library's documentation shows it. docs/check.md says what
// goat check config finds out about them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/viper"
)

// state is what the program has in memory.
type state struct {
	mu       sync.Mutex
	Greeting string `json:"greeting"`
	Reloads  int    `json:"reloads"`
}

func (s *state) set(greeting string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Greeting, s.Reloads = greeting, s.Reloads+1
}

func (s *state) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s)
}

// ways are the libraries.
var ways = map[string]func(path string, s *state) error{
	"fsnotify-file": notifyFile, "fsnotify-directory": notifyDirectory, "viper": viperWatch, "koanf": koanfWatch,
}

// read takes the file, or leaves the state as it is.
func read(path string, s *state) error {
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return err
	}
	s.set(k.String("greeting"))
	return nil
}

// notifyFile watches the file itself, as many do.
func notifyFile(path string, s *state) error { return notify(path, path, s) }

// notifyDirectory watches the directory, as fsnotify's documentation advises.
func notifyDirectory(path string, s *state) error { return notify(filepath.Dir(path), path, s) }

func notify(watched, path string, s *state) error {
	if err := read(path, s); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	go func() {
		for event := range watcher.Events {
			if filepath.Clean(event.Name) != filepath.Clean(path) || !event.Has(fsnotify.Write|fsnotify.Create) {
				continue
			}
			if err := read(path, s); err != nil {
				log.Print(err)
			}
		}
	}()
	return watcher.Add(watched)
}

func viperWatch(path string, s *state) error {
	v := viper.New()
	v.SetConfigFile(path)
	if err := v.ReadInConfig(); err != nil {
		return err
	}
	s.set(v.GetString("greeting"))
	v.OnConfigChange(func(fsnotify.Event) { s.set(v.GetString("greeting")) })
	v.WatchConfig()
	return nil
}

func koanfWatch(path string, s *state) error {
	if err := read(path, s); err != nil {
		return err
	}
	return file.Provider(path).Watch(func(_ any, err error) {
		if err == nil {
			err = read(path, s)
		}
		if err != nil {
			log.Print(err)
		}
	})
}

func main() {
	with := flag.String("with", "viper", "fsnotify-file, fsnotify-directory, viper or koanf")
	address := flag.String("addr", "127.0.0.1:8080", "where it listens")
	path := flag.String("config", "app.yaml", "the configuration file")
	flag.Parse()
	if err := run(*with, *address, *path); err != nil {
		fmt.Fprintln(os.Stderr, "reload:", err)
		os.Exit(1)
	}
}

func run(with, address, path string) error {
	way, known := ways[with]
	if !known {
		return fmt.Errorf("nobody reloads with %q", with)
	}
	s := &state{}
	if err := way(path, s); err != nil {
		return err
	}
	return http.ListenAndServe(address, s)
}
