//! The kernel and the bus on one side, the machine on the other.

mod rfkill;
mod route;
mod wifi;

use crate::config::Config;
use crate::machine::{Effect, Everything, Input, Machine};
use daemon::{Context, Daemon, Effects, Fatal, Given, Interest, Level, Program, Request, Token};
use interfaces::network::Thing;
use interfaces::{Argument, Item, List, Overrun, error};
use netlink::{Asker, Listen, Listener, ROUTE, Received};
use proto_nl80211::Report;
use proto_rtnetlink::Messages;
use reactor::{Event, Instant, Timer};
use rfkill::Rfkill;
use rustix::net::netlink as protocol;
use std::io;
use std::time::{Duration, SystemTime};
use wifi::Wifi;

/// Datagrams of the kernel that are served in one turn.
const DATAGRAMS_PER_TURN: usize = 64;

/// Multicast group in which generic netlink tells of new families (`GENL_ID_CTRL`).
const FAMILIES: u32 = 16;

/// The kinds of things a list can be asked for: second tokens of subjects.
const KINDS: [&str; 8] = ["link", "addr", "route", "neighbour", "wifi", "rfkill", "online", "offline"];

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// rtnetlink has events.
    Route,
    /// nl80211 has events.
    Wifi,
    /// Generic netlink has a new family.
    Families,
    /// A radio was switched.
    Rfkill,
    /// Something is due.
    Timer,
}

/// The adapter: every system call of natsnet is made here.
#[derive(Debug)]
pub struct Natsnet {
    machine: Machine,
    effects: Effects<Effect>,
    neighbours: bool,
    timer: Timer,
    asker: Asker,
    route: (Listener, Token),
    /// `None` while the kernel has no Wi-Fi; then `families` tells when it has.
    wifi: Option<Wifi>,
    families: Option<Listener>,
    rfkill: Option<Rfkill>,
    /// The default routes are to be read, once however many asked for it.
    routes_due: bool,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natsnet {
    const PROGRAM: Program = Program { name: "natsnet", summary: "puts the network on the bus", flags: &[] };
    type Config = Config;
    type Source = Source;

    fn configure(config: &mut Config, _given: &Given) -> Result<(), String> {
        config.check()
    }

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let failed = |what: &'static str| move |error| Fatal::system(what, error);
        let timer = Timer::new().map_err(failed("cannot open a timer"))?;
        context.watch(&timer, Interest::READ, Source::Timer).map_err(failed("cannot watch a timer"))?;
        let asker = Asker::open(ROUTE).map_err(failed("cannot open rtnetlink"))?;
        let route = listen(config.neighbours, context).map_err(failed("cannot listen to rtnetlink"))?;
        let families =
            Listen { protocol: Some(protocol::GENERIC), groups: &[FAMILIES], ..Listen::default() }.open().ok();
        if let Some(families) = &families {
            context
                .watch(families, Interest::READ, Source::Families)
                .map_err(failed("cannot watch generic netlink"))?;
        }
        let machine = Machine::new(Duration::from_millis(config.settle_ms), config.things_max);
        let effects = Effects::with_limit(machine.effects_max());
        let neighbours = config.neighbours;
        let mut this = Self {
            machine,
            effects,
            neighbours,
            timer,
            asker,
            route,
            wifi: None,
            families,
            rfkill: None,
            routes_due: false,
        };
        let mut all = this.everything().map_err(failed("cannot read the network"))?;
        this.open_radio(context);
        all.wifi = this.connections(context);
        all.switches = this.switches(context);
        this.step(Input::Everything { first: true, all }, context);
        context.serve("list", "network.list");
        Ok(this)
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Route => self.read_route(context),
            Source::Wifi => self.read_wifi(context),
            Source::Families => self.read_families(context),
            Source::Rfkill => self.read_rfkill(context),
            Source::Timer => {
                if let Err(error) = self.timer.fired() {
                    context.log(Level::Error, format_args!("cannot read a timer: {error}"));
                }
                self.step(Input::Deadline, context);
            }
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let Some(reply) = request.reply.clone() else { return };
        let argument = Argument::parse(&request.payload);
        let kind = match argument.and_then(|argument| Ok(argument.text("kind")?.map(str::to_owned))) {
            Ok(kind) => kind,
            Err(problem) => return context.reply_error(&reply, error::BAD_REQUEST, &problem.to_string()),
        };
        if let Some(odd) = kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
            let text = format!("there is no {odd:?}: expected one of {}", KINDS.join(", "));
            return context.reply_error(&reply, error::BAD_REQUEST, &text);
        }
        self.step(Input::List { reply, kind }, context);
    }

    fn reload(&mut self, config: Config, context: &mut World<'_>) -> Result<(), String> {
        if config.neighbours != self.neighbours {
            let fresh = listen(config.neighbours, context);
            let fresh = fresh.map_err(|error| format!("cannot listen to rtnetlink: {error}"))?;
            let (old, token) = std::mem::replace(&mut self.route, fresh);
            context.unwatch(token, &old).map_err(|error| format!("cannot leave rtnetlink: {error}"))?;
            self.neighbours = config.neighbours;
        }
        self.machine.configure(Duration::from_millis(config.settle_ms), config.things_max);
        self.read_anew(context);
        Ok(())
    }

    fn settle(&mut self, context: &mut World<'_>) {
        self.run_effects(context);
        if std::mem::take(&mut self.routes_due) {
            self.read_routes(context);
            self.run_effects(context);
        }
    }
}

fn tell_overrun(context: &mut World<'_>) {
    let time = interfaces::time::rfc3339(SystemTime::now()).into();
    context.announce("network.overrun", &Overrun { time });
}

fn listen(neighbours: bool, context: &mut World<'_>) -> io::Result<(Listener, Token)> {
    let listener = route::listen(neighbours)?;
    let token = context.watch(&listener, Interest::READ, Source::Route)?;
    Ok((listener, token))
}

impl Natsnet {
    fn everything(&mut self) -> io::Result<Everything> {
        route::everything(&mut self.asker, self.neighbours)
    }

    /// Reads everything again and publishes the differences.
    fn read_anew(&mut self, context: &mut World<'_>) {
        // What waits is older than what is about to be read.
        let read = self.route.0.drain().and_then(|()| self.everything());
        match read {
            Ok(mut all) => {
                all.wifi = self.connections(context);
                self.step(Input::Everything { first: false, all }, context);
            }
            Err(error) => context.log(Level::Error, format_args!("cannot read the network: {error}")),
        }
    }

    fn lost(&mut self, context: &mut World<'_>) {
        context.log(Level::Warn, "network events lost: kernel buffer full; reading everything");
        self.read_anew(context);
        tell_overrun(context);
    }

    /// Serves the kernel's events, but not all of a flood in one turn: the bus wants its turn, too.
    fn read_route(&mut self, context: &mut World<'_>) {
        for _ in 0..DATAGRAMS_PER_TURN {
            let inputs: Vec<Input> = match self.route.0.read() {
                Ok(Received::Kernel(datagram)) => {
                    let messages = Messages::new(datagram.bytes).filter_map(Result::ok);
                    messages.filter_map(|message| route::input(&message)).collect()
                }
                Ok(Received::Foreign(_)) => continue,
                Ok(Received::Nothing) => return,
                Ok(Received::Overrun) => return self.lost(context),
                Err(error) => return context.log(Level::Error, format_args!("cannot read rtnetlink: {error}")),
            };
            for input in inputs {
                self.step(input, context);
            }
        }
    }

    /// Opens what a kernel has only with the modules for radio.
    fn open_radio(&mut self, context: &mut World<'_>) {
        if self.wifi.is_none() {
            let opened = Wifi::open().and_then(|wifi| {
                if let Some(wifi) = &wifi {
                    context.watch(&wifi.listener, Interest::READ, Source::Wifi)?;
                }
                Ok(wifi)
            });
            match opened {
                Ok(wifi) => self.wifi = wifi,
                Err(error) => context.log(Level::Warn, format_args!("no Wi-Fi events: {error}")),
            }
        }
        if self.rfkill.is_none() {
            let opened = Rfkill::open().and_then(|rfkill| {
                if let Some(rfkill) = &rfkill {
                    context.watch(rfkill, Interest::READ, Source::Rfkill)?;
                }
                Ok(rfkill)
            });
            match opened {
                Ok(rfkill) => self.rfkill = rfkill,
                Err(error) => context.log(Level::Warn, format_args!("no events of radio switches: {error}")),
            }
        }
    }

    /// A new family of generic netlink: perhaps the one for Wi-Fi.
    fn read_families(&mut self, context: &mut World<'_>) {
        if let Some(families) = &mut self.families
            && let Err(error) = families.drain()
        {
            context.log(Level::Error, format_args!("cannot read generic netlink: {error}"));
        }
        self.open_radio(context);
    }

    fn connections(&mut self, context: &World<'_>) -> Option<Vec<(u32, crate::machine::WifiFacts)>> {
        let connections = self.wifi.as_mut()?.connections();
        connections
            .map_err(|error| context.log(Level::Error, format_args!("cannot read the Wi-Fi connections: {error}")))
            .ok()
    }

    fn read_wifi(&mut self, context: &mut World<'_>) {
        for _ in 0..DATAGRAMS_PER_TURN {
            let Some(wifi) = &mut self.wifi else { return };
            let reports: Vec<(u32, Report)> = match wifi.listener.read() {
                Ok(Received::Kernel(datagram)) => {
                    let messages = Messages::new(datagram.bytes).filter_map(Result::ok);
                    messages.filter_map(|message| Report::read(message.payload)).collect()
                }
                Ok(Received::Foreign(_)) => continue,
                Ok(Received::Nothing) => return,
                Ok(Received::Overrun) => return self.lost(context),
                Err(error) => return context.log(Level::Error, format_args!("cannot read nl80211: {error}")),
            };
            for (index, report) in reports {
                self.serve_report(index, report, context);
            }
        }
    }

    fn serve_report(&mut self, index: u32, report: Report, context: &mut World<'_>) {
        let Some(wifi) = &mut self.wifi else { return };
        match wifi.input(index, report) {
            Ok(Some(input)) => self.step(input, context),
            Ok(None) => {}
            Err(error) => context.log(Level::Error, format_args!("cannot read the Wi-Fi connections: {error}")),
        }
    }

    /// The switches the device tells of when it is opened.
    fn switches(&mut self, context: &World<'_>) -> Vec<crate::machine::SwitchFacts> {
        let mut switches = Vec::new();
        while let Some(Input::Switch(switch)) = self.next_switch(context) {
            switches.push(switch);
        }
        switches
    }

    fn next_switch(&mut self, context: &World<'_>) -> Option<Input> {
        self.rfkill.as_ref()?.read().unwrap_or_else(|error| {
            context.log(Level::Error, format_args!("cannot read /dev/rfkill: {error}"));
            None
        })
    }

    fn read_rfkill(&mut self, context: &mut World<'_>) {
        for _ in 0..DATAGRAMS_PER_TURN {
            let Some(input) = self.next_switch(context) else { return };
            self.step(input, context);
        }
    }

    fn step(&mut self, input: Input, context: &mut World<'_>) {
        context.record(&input);
        daemon::Machine::step(&mut self.machine, context.now(), input, &mut self.effects);
    }

    /// Runs the effects, as long as there is room for what they publish. The rest waits until the bus has proved to have some.
    fn run_effects(&mut self, context: &mut World<'_>) {
        while context.outbox().has_room()
            && let Some(effect) = self.effects.pop()
        {
            self.run(effect, context);
        }
        match self.effects.take_lost() {
            0 => {}
            lost => {
                context.log(Level::Error, format_args!("too much to tell: the rest is in the list (lost={lost})"));
                tell_overrun(context);
            }
        }
    }

    fn read_routes(&mut self, context: &mut World<'_>) {
        match route::routes(&mut self.asker) {
            Ok(routes) => self.step(Input::Routes(routes), context),
            Err(error) => context.log(Level::Error, format_args!("cannot read the routes: {error}")),
        }
    }

    fn run(&mut self, effect: Effect, context: &mut World<'_>) {
        match effect {
            Effect::Publish(news) => context.publish(news.subject, &news.body),
            Effect::Announce(news) => context.announce(&news.subject, &news.body),
            Effect::List { reply, kind } => self.reply_list(&reply, kind.as_deref(), context),
            Effect::ReadRoutes => self.routes_due = true,
            Effect::Arm(at) => self.arm(at, context),
            Effect::NoRoom { lost } => {
                context.log(Level::Warn, format_args!("things not followed: table full (lost={lost})"));
            }
        }
    }

    fn reply_list(&self, reply: &str, kind: Option<&str>, context: &mut World<'_>) {
        let (epoch, seq) = (context.outbox().epoch().to_owned().into(), context.outbox().seq());
        let things = self.machine.things(kind).into_iter();
        let items = things.map(|(subject, body)| Item { subject: subject.into(), body }).collect();
        let list: List<'_, Thing<'_>> = List { epoch, seq, note: None, items };
        context.reply(reply, &list);
    }

    fn arm(&self, at: Option<u64>, context: &World<'_>) {
        let armed = match at {
            Some(nanos) => self.timer.arm(Instant::from_nanos(nanos)),
            None => self.timer.disarm(),
        };
        if let Err(error) = armed {
            context.log(Level::Error, format_args!("cannot set a timer: {error}"));
        }
    }
}
