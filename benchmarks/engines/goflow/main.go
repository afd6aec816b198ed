// The reference conversation on goflow, the engine of RapidPro, as a worker with the protocol of worker.py.
//
//	worker            a worker: JSON lines on stdin and stdout
//	worker --cold     build, one turn: the times on one line
//
// A turn reads the session from its JSON, resumes it with a message and marshals it again, as goflow's documentation
// shows. The parsed flows stay in memory between turns.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nyaruka/gocommon/urns"
	"github.com/nyaruka/gocommon/uuids"
	"github.com/nyaruka/goflow/assets"
	"github.com/nyaruka/goflow/assets/static"
	"github.com/nyaruka/goflow/envs"
	"github.com/nyaruka/goflow/flows"
	"github.com/nyaruka/goflow/flows/engine"
	"github.com/nyaruka/goflow/flows/events"
	"github.com/nyaruka/goflow/flows/resumes"
	"github.com/nyaruka/goflow/flows/triggers"
)

const (
	mainFlow = "00000000-0000-4000-8000-000000000002"
	subFlow  = "00000000-0000-4000-8000-000000000001"
	contact  = `{"uuid": "00000000-0000-4000-8000-000000000000", "name": "Ana", "status": "active",
		"created_on": "2026-01-01T00:00:00Z", "urns": ["whatsapp:5511999990001"]}`
)

//go:embed flows.json
var definitions []byte

type bot struct {
	environment envs.Environment
	engine      flows.Engine
	assets      flows.SessionAssets
	contact     *flows.Contact
	flow        flows.Flow
	stored      map[string][]byte
}

func (b *bot) rebuild() {
	b.environment = envs.NewBuilder().Build()
	b.engine = engine.NewBuilder().Build()
	source := must(static.NewSource(definitions))
	b.assets = must(engine.NewSessionAssets(b.environment, source, nil))
	b.flow = must(b.assets.Flows().Get(mainFlow)) // parses it, which is otherwise done in the first turn
	must(b.assets.Flows().Get(subFlow))
	b.contact = must(flows.ReadContact(b.assets, json.RawMessage(contact), assets.IgnoreMissing))
}

func (b *bot) turn(conversation, text string) []string {
	var session flows.Session
	var sprint flows.Sprint
	var err error
	if stored := b.stored[conversation]; len(stored) == 0 {
		// A message as the trigger would answer the first question at once.
		trigger := triggers.NewBuilder(b.environment, b.flow.Reference(false), b.contact.Clone()).Manual().Build()
		session, sprint, err = b.engine.NewSession(b.assets, trigger)
	} else {
		msg := flows.NewMsgIn(flows.MsgUUID(uuids.New()), urns.URN("whatsapp:5511999990001"), nil, text, nil)
		session = must(b.engine.ReadSession(b.assets, stored, assets.IgnoreMissing))
		sprint, err = session.Resume(resumes.NewMsg(nil, nil, msg))
	}
	must(sprint, err)
	if session.Status() == flows.SessionStatusWaiting {
		b.stored[conversation] = must(json.Marshal(session))
	} else {
		b.stored[conversation] = nil
	}
	return said(sprint)
}

// The texts of a turn; a question's quick replies as reference.py writes buttons.
func said(sprint flows.Sprint) []string {
	texts := []string{}
	for _, event := range sprint.Events() {
		created, isMessage := event.(*events.MsgCreatedEvent)
		if !isMessage {
			continue
		}
		text := created.Msg.Text()
		if replies := created.Msg.QuickReplies(); len(replies) > 0 {
			buttons := make([]string, len(replies))
			for number, reply := range replies {
				buttons[number] = strings.ToLower(reply) + "=" + reply
			}
			text += " [" + strings.Join(buttons, "|") + "]"
		}
		texts = append(texts, text)
	}
	return texts
}

type exchange struct {
	said     string
	expected []string
}

func (e *exchange) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&e.said, &e.expected})
}

func (b *bot) run(conversations [][]exchange, seconds float64) map[string]any {
	var times []time.Duration
	var cpu, total time.Duration
	wrong, number := 0, 0
	stop := time.Now().Add(time.Duration(seconds * 1e9))
	for time.Now().Before(stop) {
		turns := conversations[number%len(conversations)]
		key := "timed-" + strconv.Itoa(number)
		answers := make([][]string, len(turns))
		cpuBegun := processTime()
		for place, one := range turns {
			begun := time.Now()
			answers[place] = b.turn(key, one.said)
			times = append(times, time.Since(begun))
		}
		cpu += processTime() - cpuBegun
		for place, one := range turns {
			if !slices.Equal(answers[place], one.expected) {
				wrong++
			}
		}
		delete(b.stored, key)
		number++
	}
	slices.Sort(times)
	for _, one := range times {
		total += one
	}
	return map[string]any{
		"turns":            len(times),
		"turns_per_second": float64(len(times)) / total.Seconds(),
		"p50_us":           micro(times[len(times)/2]),
		"p99_us":           micro(times[len(times)*99/100]),
		"cpu_us":           micro(cpu) / float64(len(times)),
		"wrong":            wrong,
		"rss_mb":           residentMB(),
	}
}

func (b *bot) sizes(turns []exchange) []int {
	sizes := make([]int, len(turns))
	for place, one := range turns {
		b.turn("sized", one.said)
		sizes[place] = len(b.stored["sized"])
	}
	delete(b.stored, "sized")
	return sizes
}

// A Go program imports before main; `import_ms` is the processor time until then.
func load() (*bot, map[string]any) {
	imported, begun := processTime(), time.Now()
	b := &bot{stored: map[string][]byte{}}
	b.rebuild()
	milli := micro(imported) / 1e3
	return b, map[string]any{"import_ms": milli, "import_cpu_ms": milli, "build_ms": micro(time.Since(begun)) / 1e3}
}

type order struct {
	Do, Conversations, Conversation, Text string
	Seconds                               float64
}

func serve() {
	var b *bot
	var conversations [][]exchange
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	carryOut := func(o order) (answer map[string]any) {
		defer func() {
			if failure := recover(); failure != nil {
				answer = map[string]any{"error": fmt.Sprint(failure)}
			}
		}()
		switch o.Do {
		case "load":
			must(0, json.Unmarshal(must(os.ReadFile(o.Conversations)), &conversations))
			before := residentMB()
			b, answer = load()
			answer["rss_before_mb"], answer["rss_loaded_mb"] = before, residentMB()
		case "turn":
			answer = map[string]any{"texts": b.turn(o.Conversation, o.Text)}
		case "drop":
			delete(b.stored, o.Conversation)
		case "rebuild":
			b.rebuild()
		case "sizes":
			answer = map[string]any{"sizes": b.sizes(conversations[0])}
		case "run":
			answer = b.run(conversations, o.Seconds)
		}
		return answer
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var o order
		must(0, json.Unmarshal(lines.Bytes(), &o))
		answer := carryOut(o)
		if answer == nil {
			answer = map[string]any{}
		}
		must(0, answers.Encode(answer))
	}
}

func main() {
	if !slices.Contains(os.Args, "--cold") {
		serve()
		return
	}
	b, times := load()
	begun := time.Now()
	b.turn("first", "hi")
	times["first_turn_ms"] = micro(time.Since(begun)) / 1e3
	must(0, json.NewEncoder(os.Stdout).Encode(times))
}

func micro(duration time.Duration) float64 { return float64(duration) / 1e3 }

// The processor time of this process so far, the garbage collector's included.
func processTime() time.Duration {
	var usage syscall.Rusage
	must(0, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func residentMB() float64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(statm))[1])
	return float64(pages*os.Getpagesize()) / 1e6
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
