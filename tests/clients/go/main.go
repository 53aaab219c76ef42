// What the stock Go client (Debian's nats.go) sees of a server, scenario by scenario.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const limit = 20 * time.Second

// The other end of the lines that ../control.rs describes.
var answers = bufio.NewReader(os.Stdin)

// see tells what the client saw.
func see(words ...interface{}) { fmt.Println(append([]interface{}{"-"}, words...)...) }

// ask asks the runner for something and returns its answer.
func ask(what string) string {
	fmt.Println("!", what)
	line, err := answers.ReadString('\n')
	must(err)
	return strings.TrimSpace(line)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

type client struct {
	*nats.Conn
	told chan string
}

// connect opens a connection whose callbacks can be waited for.
func connect(addresses string, options ...nats.Option) (*client, error) {
	told := make(chan string, 1000)
	tell := func(word string, err error) {
		if err != nil {
			word += ": " + err.Error()
		}
		fmt.Println("#", word)
		told <- word
	}
	all := append([]nats.Option{
		nats.DontRandomize(), nats.ReconnectWait(100 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.Timeout(5 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { tell("error", err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { tell("disconnected", err) }),
		nats.ReconnectHandler(func(*nats.Conn) { tell("reconnected", nil) }),
		nats.ClosedHandler(func(nc *nats.Conn) { tell("closed", nc.LastError()) }),
		nats.LameDuckModeHandler(func(*nats.Conn) { tell("lame duck", nil) }),
	}, options...)
	nc, err := nats.Connect(addresses, all...)
	return &client{nc, told}, err
}

func start(configuration string, options ...nats.Option) (*client, string) {
	address := ask("start a " + configuration)
	nc, err := connect(address, options...)
	must(err)
	return nc, address
}

// hears waits for a callback of this name; others before it are passed over.
func (c *client) hears(name string) string {
	late := time.After(limit)
	for {
		select {
		case word := <-c.told:
			if strings.HasPrefix(word, name) {
				return word
			}
		case <-late:
			must(fmt.Errorf("no %s", name))
		}
	}
}

func (c *client) sync(subject string) *nats.Subscription {
	subscription, err := c.SubscribeSync(subject)
	must(err)
	return subscription
}

func (c *client) flush() { must(c.FlushTimeout(limit)) }

func next(subscription *nats.Subscription) string {
	message, err := subscription.NextMsg(limit)
	must(err)
	return string(message.Data)
}

// refused shows how the client tells that it was not let in.
func refused(address string, options ...nats.Option) {
	nc, err := connect(address, append(options, nats.NoReconnect())...)
	see("refused:", err)
	if err == nil {
		nc.Close()
	}
}

var scenarios = map[string]func(){
	"connect_options": func() {
		nc, address := start("", nats.Name("a name"), nats.NoEcho(), nats.CustomInboxPrefix("_MINE"), nats.RetryOnFailedConnect(true))
		see(ask("monitor a /connz /connections/0/name"), ask("monitor a /connz /connections/0/lang"))
		see(nc.MaxPayload(), nc.HeadersSupported(), nc.AuthRequired(), nc.TLSRequired(), strings.Split(nc.NewRespInbox(), ".")[0])
		own := nc.sync("x")
		must(nc.Publish("x", []byte("not to myself")))
		nc.flush()
		other, err := connect(address, nats.UseOldRequestStyle())
		must(err)
		must(other.Publish("x", []byte("from another")))
		see(next(own))
	},
	"verbose_and_pedantic": func() {
		nc, _ := start("", nats.NoReconnect(), func(options *nats.Options) error { options.Verbose, options.Pedantic = true, true; return nil })
		got := nc.sync("x")
		must(nc.Publish("x", []byte("acknowledged")))
		see(next(got))
		must(nc.Publish("bad.*", nil))
		see(nc.hears("closed"))
	},
	"auth": func() {
		address := ask(`start a authorization { users: [{user: u, password: p}, {user: v, password: "q r"}] }`)
		for _, options := range [][]nats.Option{{nats.UserInfo("u", "p")}, {nats.UserInfo("v", "q r")}} {
			nc, err := connect(address, options...)
			must(err)
			nc.flush()
			nc.Close()
		}
		nc, err := connect("nats://u:p@" + address)
		must(err)
		nc.flush()
		refused(address, nats.UserInfo("u", "q"))
		refused(address, nats.UserInfo("w", "p"))
		refused(address, nats.Token("p"))
		refused(address)
		token := ask("start b authorization { token: s3cr3t }")
		nc, err = connect(token, nats.Token("s3cr3t"))
		must(err)
		nc.flush()
		nc, err = connect("nats://s3cr3t@" + token)
		must(err)
		nc.flush()
		refused(token, nats.Token("wrong"))
	},
	"keys": func() {
		address, keys := ask("start a authorization { users: [{nkey: $USER}] }"), ask("keys")
		seed := func(name string) nats.Option {
			option, err := nats.NkeyOptionFromSeed(keys + "/" + name + ".seed")
			must(err)
			return option
		}
		nc, err := connect(address, seed("user"))
		must(err)
		nc.flush()
		refused(address, seed("stranger"))
		address = ask("start b $OPERATOR")
		nc, err = connect(address, nats.UserCredentials(keys+"/user.creds"))
		must(err)
		must(nc.Publish("forbidden", nil))
		see(nc.hears("error"))
		refused(address, nats.UserCredentials(keys+"/stranger.creds"))
	},
	"tls": func() {
		folder := ask("certificates")
		files := strings.ReplaceAll(`cert_file: "FOLDER/server.pem", key_file: "FOLDER/server.key", ca_file: "FOLDER/ca.pem"`, "FOLDER", folder)
		shown := func(name string) nats.Option { return nats.ClientCert(folder+"/"+name+".pem", folder+"/"+name+".key") }
		roots := nats.RootCAs(folder + "/ca.pem")
		nc, address := start("tls { "+files+", verify: true, timeout: 5 }", roots, shown("client"))
		got := nc.sync("x")
		payload := bytes.Repeat([]byte("0123456\n"), 64*1024)
		must(nc.Publish("x", payload))
		see("same", next(got) == string(payload), nc.TLSRequired())
		// Where a handshake breaks off is a matter of luck.
		for _, options := range [][]nats.Option{{roots, shown("stranger")}, {roots}, {shown("client")}} {
			_, err := connect(address, append(options, nats.NoReconnect())...)
			see("refused", err != nil)
		}
	},
	"websocket": func() {
		listen := ask("port")
		ask(`start a websocket { listen: "` + listen + `", no_tls: true }`)
		for _, compression := range []bool{false, true} {
			nc, err := connect("ws://"+listen, nats.Compression(compression))
			must(err)
			got := nc.sync("x")
			payload := bytes.Repeat([]byte("0123456\n"), 64*1024)
			must(nc.Publish("x", payload))
			see("same", next(got) == string(payload))
			_, err = nc.Request("nobody", nil, limit)
			see(err)
		}
	},
	"password_changed": func() {
		nc, _ := start("authorization { users: [{user: u, password: p}, {user: v, password: q}] }", nats.UserInfo("v", "q"))
		ask("reload a authorization { users: [{user: u, password: p}, {user: v, password: new}] }")
		see(nc.hears("error"))
		see(nc.hears("closed"))
	},
	"permissions": func() {
		nc, _ := start(`authorization { users: [{user: u, password: p, permissions: {publish: {allow: ["ok.>", "_INBOX.>"], deny: "ok.not"}, subscribe: {allow: ["ok.>", "_INBOX.>", "work q"]}}}] }`,
			nats.UserInfo("u", "p"))
		got := nc.sync("ok.>")
		must(nc.Publish("other", nil))
		see(nc.hears("error"))
		must(nc.Publish("ok.not", nil))
		see(nc.hears("error"))
		nc.sync("other")
		see(nc.hears("error"))
		_, err := nc.QueueSubscribeSync("work", "r")
		must(err)
		see(nc.hears("error"))
		must(nc.Publish("ok.yes", []byte("still here")))
		see(next(got))
	},
	"headers": func() {
		nc, _ := start("")
		got := nc.sync("x")
		message := nats.NewMsg("x")
		message.Header.Add("Many", "one")
		message.Header.Add("Many", "two")
		message.Header.Set("Long", strings.Repeat("l", 1000))
		message.Data = []byte("body")
		must(nc.PublishMsg(message))
		back, err := got.NextMsg(limit)
		must(err)
		see(string(back.Data), back.Header.Values("Many"), len(back.Header.Get("Long")))
	},
	"requests": func() {
		nc, _ := start("")
		_, err := nc.Request("nobody", nil, limit)
		see(err)
		nc.sync("silent")
		_, err = nc.Request("silent", nil, 300*time.Millisecond)
		see(err)
		_, err = nc.Subscribe("echo", func(message *nats.Msg) { must(message.Respond(append(message.Data, " back"...))) })
		must(err)
		answer, err := nc.Request("echo", []byte("there and"), limit)
		must(err)
		see(string(answer.Data))
		inbox := nc.NewRespInbox()
		many := nc.sync(inbox)
		must(many.AutoUnsubscribe(3))
		_, err = nc.Subscribe("many", func(message *nats.Msg) {
			for number := 0; number < 5; number++ {
				must(message.Respond([]byte(fmt.Sprint(number))))
			}
		})
		must(err)
		must(nc.PublishRequest("many", inbox, nil))
		see(next(many), next(many), next(many))
		_, err = many.NextMsg(limit)
		see(err)
	},
	"large_payload": func() {
		nc, _ := start("")
		got := nc.sync("x")
		payload := bytes.Repeat([]byte("0123456\n"), 128*1024)
		must(nc.Publish("x", payload))
		see("same", next(got) == string(payload))
		see(nc.Publish("x", append(payload, 0)))
	},
	"queue_groups": func() {
		nc, _ := start("")
		counts := make(chan int, 1000)
		for index := 0; index < 3; index++ {
			index := index
			_, err := nc.QueueSubscribe("work.*", "workers", func(*nats.Msg) { counts <- index })
			must(err)
		}
		nc.flush()
		for number := 0; number < 300; number++ {
			must(nc.Publish(fmt.Sprintf("work.%d", number), nil))
		}
		each := make([]int, 3)
		for number := 0; number < 300; number++ {
			each[<-counts]++
		}
		sort.Ints(each)
		see("each has some", each[0] > 30)
	},
	"bad_subject": func() {
		nc, _ := start("")
		for _, subject := range []string{"a..b", ".a", "a.", "a b"} {
			_, err := nc.SubscribeSync(subject)
			see(subject, err)
		}
		must(nc.Publish("a..b", nil))
		nc.flush()
		see(nc.IsConnected(), nc.LastError())
	},
	"drain": func() {
		nc, address := start("")
		other, err := connect(address)
		must(err)
		got := other.sync("y")
		other.flush()
		_, err = nc.Subscribe("x", func(message *nats.Msg) { must(nc.Publish("y", message.Data)) })
		must(err)
		nc.flush()
		for number := 0; number < 20; number++ {
			must(other.Publish("x", []byte(fmt.Sprint(number))))
		}
		other.flush()
		nc.flush()
		must(nc.Drain())
		see(nc.hears("closed"))
		for number := 0; number < 19; number++ {
			next(got)
		}
		see(next(got))
	},
	"unsubscribe_after_a_count": func() {
		nc, _ := start("")
		got := nc.sync("x")
		must(got.AutoUnsubscribe(3))
		for number := 0; number < 10; number++ {
			must(nc.Publish("x", []byte(fmt.Sprint(number))))
		}
		nc.flush()
		see(next(got), next(got), next(got), ask("monitor a /connz /connections/0/subscriptions"))
		_, err := got.NextMsg(limit)
		see(err)
	},
	"round_trip": func() {
		nc, _ := start("")
		for number := 0; number < 100; number++ {
			nc.flush()
		}
		time, err := nc.RTT()
		must(err)
		see("a time", time > 0)
		id, err := nc.GetClientID()
		must(err)
		see("id", id > 0, len(nc.ConnectedServerId()), nc.ConnectedServerName() != "")
		ip, err := nc.GetClientIP()
		must(err)
		see(ip)
	},
	"reconnect": func() {
		nc, _ := start("", nats.MaxReconnects(-1))
		got := nc.sync("x")
		work, err := nc.QueueSubscribeSync("work", "q")
		must(err)
		nc.flush()
		ask("kill a")
		see(nc.hears("disconnected")[:12])
		must(nc.Publish("x", []byte("while it was away")))
		ask("again a")
		see(nc.hears("reconnected"), next(got))
		must(nc.Publish("work", []byte("after")))
		see(next(work), nc.Stats().Reconnects)
	},
	"lame_duck": func() {
		first, second := ask(`start a lame_duck_duration: "30s", lame_duck_grace_period: "1s"`), ask("start b")
		nc, err := connect(first+","+second, nats.MaxReconnects(-1))
		must(err)
		got := nc.sync("x")
		ask("lame a")
		see(nc.hears("lame duck"))
		must(nc.Publish("x", []byte("served meanwhile")))
		see(next(got))
		see(nc.hears("disconnected")[:12])
		see(nc.hears("reconnected"), nc.ConnectedAddr() == second)
		must(nc.Publish("x", []byte("served there")))
		see(next(got))
	},
	"frozen_server": func() {
		first, second := ask("start a"), ask("start b")
		nc, err := connect(first+","+second, nats.PingInterval(300*time.Millisecond), nats.MaxPingsOutstanding(2), nats.Timeout(time.Second))
		must(err)
		got := nc.sync("x")
		nc.flush()
		ask("freeze a")
		see(nc.hears("disconnected"))
		see(nc.hears("reconnected"), nc.ConnectedAddr() == second)
		must(nc.Publish("x", []byte("there")))
		see(next(got))
	},
	"slow_consumer_in_the_client": func() {
		nc, _ := start("")
		got := nc.sync("x")
		must(got.SetPendingLimits(5, 1<<20))
		for number := 0; number < 20; number++ {
			must(nc.Publish("x", nil))
		}
		nc.flush()
		see(nc.hears("error"))
		see(got.Dropped())
	},
	"limits": func() {
		nc, address := start("max_connections: 1, max_subscriptions: 2")
		// Whether it reads the reason or fails to write first is a matter of luck.
		_, err := connect(address, nats.NoReconnect())
		see("refused", err != nil)
		for _, subject := range []string{"a", "b", "c"} {
			nc.sync(subject)
		}
		see(nc.hears("closed"))
	},
	"no_jetstream": func() {
		nc, _ := start("")
		js, err := nc.JetStream(nats.MaxWait(2 * time.Second))
		must(err)
		_, err = js.AccountInfo()
		see(err)
		_, err = js.AddStream(&nats.StreamConfig{Name: "s", Subjects: []string{"x"}})
		see(err)
		_, err = js.Publish("x", nil)
		see(err)
		_, err = js.CreateKeyValue(&nats.KeyValueConfig{Bucket: "b"})
		see(err)
		_, err = js.KeyValue("b")
		see(err)
	},
}

func main() {
	if len(os.Args) > 1 {
		time.AfterFunc(50*time.Second, func() { must(fmt.Errorf("it takes too long")) })
		scenarios[os.Args[1]]()
	} else {
		names := []string{}
		for name := range scenarios {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			see(name)
		}
	}
	fmt.Println("done")
}
