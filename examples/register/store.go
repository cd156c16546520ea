// One node of a replicated register: reads and writes of any node go to a majority of all.
//
// Each value has a stamp, (number, node), and the highest wins. Whoever reads writes back what it has found, so that no
// later read can find less (Attiya, Bar-Noy, Dolev 1995). A value is on the disk before it counts.
//
// usage: store NAME PEERS      PEERS with commas, as HOST:PORT
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const file = "/var/tmp/register"

// A stamp, as JSON has it: [number, node].
type stamp struct {
	Number int
	Node   string
}

func (s stamp) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{s.Number, s.Node})
}

func (s *stamp) UnmarshalJSON(bytes []byte) error {
	return json.Unmarshal(bytes, &[]any{&s.Number, &s.Node})
}

func (s stamp) above(other stamp) bool {
	return s.Number > other.Number || s.Number == other.Number && s.Node > other.Node
}

type request struct {
	Do    string  `json:"do"`
	Stamp stamp   `json:"stamp"`
	Value *string `json:"value"`
}

type answer struct {
	Stamp stamp   `json:"stamp"`
	Value *string `json:"value"`
}

var (
	name, peers = os.Args[1], strings.Split(os.Args[2], ",")
	// Two majorities have a node in common; with fewer, a read may meet none that knows of the last write.
	enough = fromEnvironment("MAJORITY", (len(peers)+1)/2+1)
	// One change of the file at a time, and one write of a client: no two of a node have the same stamp.
	changing, writing sync.Mutex
	errTooFew         = errors.New("too few nodes answer")
)

func fromEnvironment(name string, otherwise int) int {
	if number, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return number
	}
	return otherwise
}

func load() (found answer) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return answer{}
	}
	if err := json.Unmarshal(bytes, &found); err != nil {
		panic(err)
	}
	return found
}

// Puts a value on the disk, as a whole or not at all.
func keep(value answer) {
	bytes, err := json.Marshal(value)
	check(err)
	next, err := os.Create(file + ".new")
	check(err)
	_, err = next.Write(bytes)
	check(err)
	check(next.Sync())
	check(next.Close())
	check(os.Rename(file+".new", file))
	folder, err := os.Open("/var/tmp")
	check(err)
	check(folder.Sync())
	check(folder.Close())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// What this node does for another one.
func local(asked request) answer {
	changing.Lock()
	defer changing.Unlock()
	found := load()
	if asked.Do == "store" && asked.Stamp.above(found.Stamp) {
		found = answer{asked.Stamp, asked.Value}
		keep(found)
	}
	return found
}

func ask(peer string, asked request) (got answer, err error) {
	connection, err := net.DialTimeout("tcp", peer, 500*time.Millisecond)
	if err != nil {
		return got, err
	}
	defer connection.Close()
	check(connection.SetDeadline(time.Now().Add(500 * time.Millisecond)))
	if err := json.NewEncoder(connection).Encode(asked); err != nil {
		return got, err
	}
	return got, json.NewDecoder(connection).Decode(&got)
}

// What a majority answers: the newest.
func majority(asked request) (answer, error) {
	answers := make(chan *answer, len(peers))
	for _, peer := range peers {
		go func(peer string) {
			got, err := ask(peer, asked)
			if err != nil {
				answers <- nil
				return
			}
			answers <- &got
		}(peer)
	}
	newest, count := local(asked), 1
	for range peers {
		if count == enough {
			break
		}
		if got := <-answers; got != nil {
			count++
			if got.Stamp.above(newest.Stamp) {
				newest = *got
			}
		}
	}
	if count < enough {
		return newest, errTooFew
	}
	return newest, nil
}

func serve(asked request) (answer, error) {
	switch asked.Do {
	case "load", "store":
		return local(asked), nil
	case "read":
		found, err := majority(request{Do: "load"})
		if err == nil {
			_, err = majority(request{"store", found.Stamp, found.Value})
		}
		return found, err
	default:
		writing.Lock()
		defer writing.Unlock()
		found, err := majority(request{Do: "load"})
		if err != nil {
			return found, err
		}
		made := answer{stamp{found.Stamp.Number + 1, name}, asked.Value}
		_, err = majority(request{"store", made.Stamp, made.Value})
		return made, err
	}
}

func handle(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	var asked request
	if json.NewDecoder(bufio.NewReader(connection)).Decode(&asked) != nil {
		return
	}
	got, err := serve(asked)
	if err != nil {
		_ = json.NewEncoder(connection).Encode(map[string]string{"error": err.Error()})
		return
	}
	_ = json.NewEncoder(connection).Encode(got)
}

func main() {
	listener, err := net.Listen("tcp", ":80")
	check(err)
	fmt.Println("listening as", name)
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go handle(connection)
	}
}
