// Make writes logs with planted faults: the sound flights of the candidate are
// dealt into two arms, and each fault is planted in the second one.
//
//	go run ./testdata/faults/make FOLDER
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rampguard/rampguard/testdata/faults"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: make FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "make:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	rows, err := faults.Read(filepath.Join("testdata", "flights"), "candidate")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	control, sound := faults.Split(rows, 1)
	if err := write(filepath.Join(dir, "control.parquet"), control); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "sound.parquet"), sound); err != nil {
		return err
	}
	for _, f := range faults.All() {
		broken, err := faults.Plant(f.Name, sound)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, f.Name+".parquet"), broken); err != nil {
			return err
		}
		fmt.Printf("%-15s %s\n", f.Name, f.Text)
	}
	return nil
}

func write(path string, rows []faults.Flight) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(faults.Write(f, rows), f.Close())
}
