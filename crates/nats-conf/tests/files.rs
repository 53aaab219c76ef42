//! Files good and bad, as text.

use nats_conf::{Map, Nothing, Surroundings, Value, parse};

/// Writes a map out in one line, so that tests can compare it.
fn show(map: &Map) -> String {
    fn text_of(value: &Value) -> String {
        match value {
            Value::String(text) => format!("{text:?}"),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Bool(truth) => truth.to_string(),
            Value::Array(items) => {
                format!("[{}]", items.iter().map(|item| text_of(&item.value)).collect::<Vec<_>>().join(" "))
            }
            Value::Map(map) => show(map),
        }
    }
    let entries: Vec<String> =
        map.iter().map(|entry| format!("{}={}", entry.key, text_of(&entry.item.value))).collect();
    format!("{{{}}}", entries.join(" "))
}

struct Fake;

impl Surroundings for Fake {
    fn include(&mut self, path: &str, from: &str) -> Result<(String, String), String> {
        match path {
            "users.conf" => Ok((path.into(), "user: $DEFAULT\npassword: s3".into())),
            "loop.conf" => Ok((path.into(), "include loop.conf".into())),
            "bad.conf" => Ok((path.into(), "\n  }".into())),
            _ => Err(format!("not beside {from}")),
        }
    }
    fn variable(&self, name: &str) -> Option<String> {
        (name == "HOME_PORT").then(|| "4333".into())
    }
}

#[test]
fn what_is_written_is_read() {
    let table = [
        ("", "{}"),
        ("# only\n// comments\n", "{}"),
        ("port: 4222", "{port=4222}"),
        ("port = 4222; host 127.0.0.1, debug on", "{port=4222 host=\"127.0.0.1\" debug=true}"),
        ("listen: 127.0.0.1:4222 # here\nname: a // there", "{listen=\"127.0.0.1:4222\" name=\"a\"}"),
        ("a { b { c: 1 }, d = [1, 2 \n 3] }\ne: 2s", "{a={b={c=1} d=[1 2 3]} e=\"2s\"}"),
        ("a: \"x\\n\\\"\\x41\" b: 'raw\\n'", "{a=\"x\\n\\\"A\" b=\"raw\\\\n\"}"),
        ("\"quoted key\": yes\nport: 1 port: 2", "{quoted key=true port=2}"),
        ("unix: [@bus, /run/bus.sock]", "{unix=[\"@bus\" \"/run/bus.sock\"]}"),
        ("url: nats://a:b@host:4222", "{url=\"nats://a:b@host:4222\"}"),
        ("N: 10k\na { m: $N, p: $HOME_PORT }", "{N=10000 a={m=10000 p=4333}}"),
        ("DEFAULT: joe\nauth { include users.conf }", "{DEFAULT=\"joe\" auth={user=\"joe\" password=\"s3\"}}"),
        ("include: 5", "{include=5}"),
    ];
    for (text, expected) in table {
        match parse("t.conf", text, &mut Fake) {
            Ok(map) => assert_eq!(show(&map), expected, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn errors_name_file_line_and_column() {
    let deep = format!("a: {}", "[".repeat(40));
    let table = [
        ("port:", "t.conf:1:6: port has no value"),
        ("a {\n b: 1", "t.conf:1:3: map is not closed"),
        ("a: 1\n  }", "t.conf:2:3: closing brace without an open map"),
        ("a: [1,\n 2}", "t.conf:2:3: closing brace inside an array"),
        ("a: \"x", "t.conf:1:4: string is not closed"),
        ("a: 'x", "t.conf:1:4: string is not closed"),
        ("a: \"\\q\"", "t.conf:1:5: unknown escape in a string"),
        ("é: $NOPE", "t.conf:1:4: variable $NOPE is not set"),
        (": 5", "t.conf:1:1: a key is expected here"),
        ("include other.conf", "t.conf:1:9: cannot include other.conf: not beside t.conf"),
        ("include bad.conf", "bad.conf:2:3: closing brace without an open map"),
        ("include loop.conf", "loop.conf:1:1: files include each other too deeply"),
        (deep.as_str(), "t.conf:1:36: maps and arrays are nested too deeply"),
    ];
    for (text, expected) in table {
        assert_eq!(parse("t.conf", text, &mut Fake).unwrap_err().to_string(), expected);
    }
    assert!(parse("t.conf", "include x", &mut Nothing).is_err());
}

#[test]
fn every_beginning_of_a_file_is_read_or_refused() {
    let text = "a { b: [1, \"x\\n\", 'y', $HOME_PORT] } # end\nport: 1kb; c = é";
    for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
        let begun = text.split_at(end).0;
        match parse("t.conf", begun, &mut Fake) {
            Ok(map) => assert!(map.iter().count() <= 3),
            Err(error) => assert!(error.to_string().starts_with("t.conf:"), "{error}"),
        }
    }
}
