//! A leaf node at a real hub: each scenario with nats-server as the leaf node first, and with ours. They are skipped where
//! `NATS_SERVER` does not name a binary.

mod common;
#[path = "common/hubs.rs"]
mod hubs;

use hubs::{Node, both, crosses, has_reference, until};
use nats_keys::{Account, Claims, KeyPair, Operator, Role, User, encode};

#[test]
fn messages_cross_both_ways_with_wildcards_and_headers() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let (mut above, mut below) = (hub.client(), leaf.client());
        below.subscribe("down.* 1");
        above.subscribe("up.> 2");
        crosses(&mut above, &mut below, "down.a");
        crosses(&mut below, &mut above, "up.a.b");
        above.say("HPUB down.h answers 18 20\r\nNATS/1.0\r\nK: v\r\n\r\nhi\r\n");
        assert!(below.take("hi\r\n").ends_with("HMSG down.h 1 answers 18 20\r\nNATS/1.0\r\nK: v\r\n\r\nhi\r\n"));
        below.say("HPUB up.h 18 18\r\nNATS/1.0\r\nK: v\r\n\r\n\r\nPUB up.z answers 0\r\n\r\nPUB up.end 1\r\nx\r\n");
        assert_eq!(
            above.take("x\r\n"),
            "HMSG up.h 2 18 18\r\nNATS/1.0\r\nK: v\r\n\r\n\r\nMSG up.z 2 answers 0\r\n\r\nMSG up.end 2 1\r\nx\r\n"
        );
        // Two subscriptions that match, over there and here: once over the link, once to each.
        above.subscribe("up.*.* 3");
        leaf.wants("up.*.*");
        below.publish("up.x.y", "both");
        assert_eq!(above.take("both\r\n").len() + above.take("both\r\n").len(), "MSG up.x.y 2 4\r\nboth\r\n".len() * 2);
        below.publish("up.end", "end");
        assert_eq!(above.count("end\r\n"), 1);
    });
}

#[test]
fn interest_ends_with_its_last_subscriber() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let (mut first, mut second) = (leaf.client(), leaf.client());
        first.subscribe("a 1");
        second.subscribe("a 1");
        first.subscribe("b 2");
        hub.wants("a");
        hub.wants("b");
        first.say("UNSUB 1\r\nUNSUB 2\r\n");
        until("the end of b", || !hub.is_asked_for("b"));
        assert!(hub.is_asked_for("a"));
        drop(second);
        until("the end of a", || !hub.is_asked_for("a"));
        let mut above = hub.client();
        above.subscribe("c 1");
        leaf.wants("c");
        above.say("UNSUB 1\r\n");
        until("the end of c", || !leaf.is_asked_for("c"));
    });
}

#[test]
fn requests_are_answered_in_both_directions_and_503_when_nobody_serves() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let (mut above, mut below) = (hub.client(), leaf.client());
        above.subscribe("served.above 1");
        below.subscribe("served.below 1");
        above.subscribe("inbox.above 2");
        below.subscribe("inbox.below 2");
        leaf.wants("served.above");
        leaf.wants("inbox.above");
        hub.wants("served.below");
        hub.wants("inbox.below");
        below.say("PUB served.above inbox.below 1\r\nq\r\n");
        assert_eq!(above.take("q\r\n"), "MSG served.above 1 inbox.below 1\r\nq\r\n");
        above.publish("inbox.below", "a");
        assert_eq!(below.take("a\r\n"), "MSG inbox.below 2 1\r\na\r\n");
        above.say("PUB served.below inbox.above 1\r\nq\r\n");
        assert_eq!(below.take("q\r\n"), "MSG served.below 1 inbox.above 1\r\nq\r\n");
        below.publish("inbox.above", "a");
        assert_eq!(above.take("a\r\n"), "MSG inbox.above 2 1\r\na\r\n");
        // A responder's own word that nobody serves crosses as it is.
        below.say("HPUB inbox.above 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
        assert_eq!(above.take("503\r\n\r\n\r\n"), "HMSG inbox.above 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
        // Nobody: told at once, on either side, before and after there was somebody.
        for (client, inbox) in [(&mut above, "inbox.above"), (&mut below, "inbox.below")] {
            client.say(&format!("PUB nobody {inbox} 0\r\n\r\n"));
            assert!(client.take("\r\n\r\n\r\n").contains("NATS/1.0 503"));
        }
        above.say("UNSUB 1\r\n");
        below.say("UNSUB 1\r\n");
        until("the end of interest", || !leaf.is_asked_for("served.above") && !hub.is_asked_for("served.below"));
        below.say("PUB served.above inbox.below 0\r\n\r\n");
        assert!(below.take("\r\n\r\n\r\n").contains("NATS/1.0 503"));
        above.say("PUB served.below inbox.above 0\r\n\r\n");
        assert!(above.take("\r\n\r\n\r\n").contains("NATS/1.0 503"));
    });
}

#[test]
fn one_member_of_a_queue_group_gets_each_message_and_those_here_come_first() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let mut above = [hub.client(), hub.client()];
        let mut below = leaf.client();
        for client in &mut above {
            client.subscribe("work crew 1");
            client.subscribe("end 2");
        }
        leaf.wants("work");
        leaf.wants("end");
        for _ in 0..100 {
            below.publish("work", "w");
        }
        below.publish("end", "end");
        let counts = above.each_mut().map(|client| client.count("end\r\n") - 1);
        assert_eq!(counts.iter().sum::<usize>(), 100, "{counts:?}");
        assert!(counts.iter().all(|&count| count >= 15), "{counts:?}");
        // With a member here, none leaves; plain subscribers over there get theirs all the same.
        let mut member = leaf.client();
        member.subscribe("work crew 1");
        above.iter_mut().for_each(|client| client.subscribe("work 3"));
        below.subscribe("work 9");
        hub.wants("work");
        until("plain interest", || leaf.page("/leafz?subs=1").to_string().matches("\"work").count() == 2);
        for _ in 0..50 {
            below.publish("work", "w");
        }
        below.publish("end", "end");
        assert_eq!(above.each_mut().map(|client| client.count("end\r\n") - 1), [50, 50]);
        member.flush_count(50);
    });
}

#[test]
fn a_queue_group_that_is_only_here_serves_the_hub() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let mut below = [leaf.client(), leaf.client()];
        let mut above = hub.client();
        for client in &mut below {
            client.subscribe("work crew 1");
            client.subscribe("end 2");
        }
        hub.wants("end");
        hub.wants("work");
        for _ in 0..100 {
            above.publish("work", "w");
        }
        above.publish("end", "end");
        let counts = below.each_mut().map(|client| client.count("end\r\n") - 1);
        assert_eq!(counts.iter().sum::<usize>(), 100, "{counts:?}");
        assert!(counts.iter().all(|&count| count >= 15), "{counts:?}");
        // The hub's own member is preferred over there.
        let mut member = hub.client();
        member.subscribe("work crew 1");
        for _ in 0..50 {
            above.publish("work", "w");
        }
        above.publish("end", "end");
        assert_eq!(below.each_mut().map(|client| client.count("end\r\n") - 1), [0, 0]);
        member.flush_count(50);
    });
}

#[test]
fn what_hub_and_leaf_node_deny_does_not_cross() {
    both(|command| {
        let user = "user: u, password: p, permissions: { publish: [\"up.>\", \"inbox\"], subscribe: [\"down.>\"] }";
        let users = format!("no_auth_user: c\nauthorization {{ users: [ {{ {user} }}, {{ user: c, password: c }} ] }}");
        let hub = Node::hub("hub", &users, "");
        let url = format!(
            "url: \"nats-leaf://u:p@127.0.0.1:{}\", deny_imports: [\"down.no\"], deny_exports: \"up.no\"",
            hub.leaf_port
        );
        let leaf = Node::leaf(command, "leaf", &[url], "");
        leaf.joined(1);
        let id = hub.page("/leafz")["leafs"][0]["id"].clone();
        let (mut above, mut below) = (hub.client(), leaf.client());
        above.subscribe("> 1");
        for subject in ["forbidden", "down.no", "down.yes", "down.end"] {
            below.subscribe(&format!("{subject} {subject}"));
        }
        hub.wants("down.yes");
        leaf.wants(">");
        assert!(!hub.is_asked_for("forbidden") && !hub.is_asked_for("down.no"));
        for subject in ["forbidden", "down.no", "down.yes", "down.end"] {
            above.publish(subject, subject);
        }
        assert_eq!(
            below.take("8\r\ndown.end\r\n"),
            "MSG down.yes down.yes 8\r\ndown.yes\r\nMSG down.end down.end 8\r\ndown.end\r\n"
        );
        above.flush();
        for subject in ["other", "up.no", "up.yes", "up.end"] {
            below.publish(subject, subject);
        }
        assert_eq!(above.count("6\r\nup.end\r\n"), 2);
        assert_eq!(hub.page("/leafz")["leafs"][0]["id"], id, "the hub found nothing to complain of");
    });
}

#[test]
fn who_does_not_prove_who_it_is_stays_outside() {
    both(|command| {
        let hub = Node::hub("hub", "", "authorization { user: u, password: p }");
        let remote = format!("url: \"nats-leaf://u:wrong@127.0.0.1:{}\"", hub.leaf_port);
        let leaf = Node::leaf(command, "leaf", &[remote], "");
        leaf.logged("Leafnode Error 'Authorization Violation'");
        leaf.logged("Leafnode connection closed");
        assert_eq!(leaf.page("/leafz")["leafnodes"], 0);
        let remote = format!("url: \"nats-leaf://u:p@127.0.0.1:{}\"", hub.leaf_port);
        let leaf = Node::leaf(command, "leaf", &[remote], "");
        leaf.joined(1);
    });
}

#[test]
fn an_account_here_is_another_one_there_and_the_others_hear_nothing() {
    both(|command| {
        let accounts = "accounts { FAR { users: [ { user: far, password: p } ] }, NEAR { users: [ { user: near, password: p } ] } }";
        let hub = Node::hub("hub", accounts, "authorization { users: [ { user: link, password: l, account: FAR } ] }");
        let remote = format!("url: \"nats-leaf://link:l@127.0.0.1:{}\", account: NEAR", hub.leaf_port);
        let leaf = Node::leaf(command, "leaf", &[remote], accounts);
        leaf.joined(1);
        assert_eq!(leaf.page("/leafz")["leafs"][0]["account"], "NEAR");
        let login = |user: &str| format!(",\"user\":\"{user}\",\"pass\":\"p\"");
        let mut far = hub.client_with(&login("far"));
        let mut outsider = leaf.client_with(&login("far"));
        let mut near = leaf.client_with(&login("near"));
        outsider.subscribe("a 1");
        near.subscribe("a 1");
        crosses(&mut far, &mut near, "a");
        outsider.publish("a", "own");
        assert_eq!(outsider.take("own\r\n"), "MSG a 1 3\r\nown\r\n");
        far.subscribe("b 1");
        crosses(&mut near, &mut far, "b");
    });
}

#[test]
fn two_hubs_stay_two() {
    both(|command| {
        let (one, two) = (Node::hub("one", "", ""), Node::hub("two", "", ""));
        let leaf = Node::leaf(command, "leaf", &[one.url(), two.url()], "");
        leaf.joined(2);
        let (mut first, mut second, mut below) = (one.client(), two.client(), leaf.client());
        first.subscribe("a 1");
        leaf.wants("a");
        second.subscribe("a 1");
        below.subscribe("b 1");
        one.wants("b");
        two.wants("b");
        assert!(!two.is_asked_for("a") && !one.is_asked_for("a"), "what one hub wants, the other is not asked for");
        below.publish("a", "both");
        for hub in [&mut first, &mut second] {
            hub.take("both\r\n");
        }
        for hub in [&mut first, &mut second] {
            hub.publish("b", "one");
            assert_eq!(below.take("one\r\n"), "MSG b 1 3\r\none\r\n");
        }
    });
}

/// The reference passes a message of one hub on to another one as soon as somebody here wants it, too.
#[test]
fn what_comes_from_a_hub_goes_to_no_other_one() {
    if !has_reference() {
        return;
    }
    let (one, two) = (Node::hub("one", "", ""), Node::hub("two", "", ""));
    let leaf = Node::leaf(common::ours, "leaf", &[one.url(), two.url()], "");
    leaf.joined(2);
    let (mut first, mut second, mut below) = (one.client(), two.client(), leaf.client());
    first.subscribe("a 1");
    leaf.wants("a");
    below.subscribe("a 1");
    two.wants("a");
    second.publish("a", "mine");
    below.take("mine\r\n");
    below.publish("a", "end");
    assert_eq!(first.take("end\r\n"), "MSG a 1 3\r\nend\r\n");
}

#[test]
fn ten_thousand_subscriptions_are_announced() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &["url: \"nats-leaf://127.0.0.1:1\"".to_owned()], "");
        let mut below = leaf.client();
        let lines: String = (0..10_000).map(|number| format!("SUB many.{number} {number}\r\n")).collect();
        below.say(&lines);
        below.flush();
        drop(leaf);
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        let mut below = leaf.client();
        below.say(&lines);
        below.flush();
        let count = || hub.page("/leafz")["leafs"][0]["subscriptions"].as_u64().unwrap_or_default();
        until("interest in all", || count() >= 10_000);
        let mut above = hub.client();
        for number in [0, 1, 4999, 9999] {
            above.publish(&format!("many.{number}"), "x");
            assert_eq!(below.take("x\r\n"), format!("MSG many.{number} {number} 1\r\nx\r\n"));
        }
        drop(below);
        until("the end of interest", || count() < 10);
    });
}

/// What tools read on the pages of monitoring.
#[test]
fn monitoring_tells_of_links() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        leaf.logged("Leafnode connection created for account: $G");
        let (mut above, mut below) = (hub.client(), leaf.client());
        below.subscribe("a 1");
        crosses(&mut above, &mut below, "a");
        let page = leaf.page("/leafz?subs=1");
        let link = &page["leafs"][0];
        assert_eq!((link["name"].as_str(), link["is_spoke"].as_bool()), (Some("hub"), Some(true)));
        assert_eq!((link["account"].as_str(), link["ip"].as_str()), (Some("$G"), Some("127.0.0.1")));
        assert_eq!(link["port"], hub.leaf_port);
        assert!(link["in_msgs"].as_u64().unwrap() >= 2 && link["in_bytes"].as_u64().unwrap() >= 5);
        let server = leaf.page("/varz");
        assert_eq!(server["leafnodes"], 1);
        assert_eq!(server["connections"], 1, "a link is no client");
        assert_eq!(server["leaf"]["remotes"][0]["local_account"], "$G");
        assert_eq!(leaf.page("/connz")["connections"][0]["kind"], "Leafnode");
        assert_eq!(leaf.page("/accountz?acc=$G")["account_detail"]["leafnode_connections"], 1);
    });
}

#[test]
fn a_hub_may_have_a_name() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let url = format!("url: \"nats-leaf://localhost:{}\"", hub.leaf_port);
        let leaf = Node::leaf(command, "leaf", &[url], "");
        leaf.joined(1);
        let nobody = "url: \"nats-leaf://no-such-host.invalid\"".to_owned();
        let leaf = Node::leaf(command, "leaf", &[nobody], "");
        leaf.logged(
            "Error trying to connect as leafnode to remote server \"no-such-host.invalid:7422\" (attempt 1): lookup",
        );
    });
}

/// Two users whom the hub knows by their keys: one by the key alone, one by a token that an account signed.
#[test]
fn a_key_or_a_credentials_file_lets_in() {
    let user = KeyPair::new(Role::User, [3; 32]);
    both(|command| {
        let accounts = format!("accounts {{ FAR {{ users: [ {{ nkey: \"{}\" }} ] }} }}", user.public());
        let hub = Node::hub("hub", &accounts, "");
        let seed = format!("{}, nkey: \"{}\"", hub.url(), user.seed());
        let leaf = Node::leaf(command, "leaf", &[seed], "");
        leaf.joined(1);
        assert_eq!(hub.page("/leafz")["leafs"][0]["account"], "FAR");
        let stranger = format!("{}, nkey: \"{}\"", hub.url(), KeyPair::new(Role::User, [4; 32]).seed());
        Node::leaf(command, "leaf", &[stranger], "").logged("Leafnode Error 'Authorization Violation'");
    });
    both(|command| {
        let (operator, account) = (KeyPair::new(Role::Operator, [1; 32]), KeyPair::new(Role::Account, [2; 32]));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let named = |key: &KeyPair| key.public().to_string();
        let operators = Claims { subject: named(&operator), name: "o".into(), ..Claims::new(Operator::default()) };
        let accounts = Claims { subject: named(&account), name: "a".into(), ..Claims::new(Account::default()) };
        let users = Claims { subject: named(&user), name: "u".into(), ..Claims::new(User::default()) };
        let lines = format!(
            "operator: \"{}\"\nresolver: MEMORY\nresolver_preload {{ {}: \"{}\" }}",
            encode(&operators, &operator, now).unwrap(),
            named(&account),
            encode(&accounts, &operator, now).unwrap()
        );
        let hub = Node::hub("hub", &lines, "");
        let path = common::directory("leaf").join("user.creds");
        let token = encode(&users, &account, now).unwrap();
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            user.seed().as_str()
        );
        std::fs::write(&path, text).unwrap();
        let remote = format!("{}, credentials: \"{}\"", hub.url(), path.display());
        let leaf = Node::leaf(command, "leaf", &[remote], "");
        leaf.joined(1);
        assert_eq!(hub.page("/leafz")["leafs"][0]["account"], named(&account).as_str());
    });
}
