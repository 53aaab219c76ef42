//! A CONNECT has the same answer wherever it is cut, and is taken only if it is JSON: an object, or null.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_bus::broker::{Broker, Credentials, Peer, Settings};
use reactor::Instant;
use serde::de::IgnoredAny;

/// Everything the client is told when it sends these parts; with the broker's own words of welcome.
fn answer(parts: [&[u8]; 2], credentials: &Credentials) -> Vec<u8> {
    let now = Instant::now();
    let settings = Settings { credentials: credentials.clone(), ..Settings::default() };
    let mut broker = Broker::new(settings, 1);
    let client = broker.accept(now, Peer::Tcp(([127, 0, 0, 1], 1).into())).unwrap();
    broker.sent(now, client, broker.pending(client));
    for part in parts {
        broker.receive(now, client, part);
    }
    broker.pieces(client).flatten().copied().collect()
}

fuzz_target!(|input: (Vec<u8>, usize, bool)| {
    let (json, cut, guarded) = input;
    if json.iter().any(|byte| b"\r\n".contains(byte)) || json.len() > 4000 {
        return;
    }
    let token = Credentials::Token("secret".into());
    let credentials = if guarded { token } else { Credentials::Open };
    let line = [b"CONNECT ", &*json, b"\r\nPING\r\n"].concat();
    let whole = answer([&line, b""], &credentials);
    let (head, tail) = line.split_at(cut % (line.len() + 1));
    assert_eq!(whole, answer([head, tail], &credentials));
    if whole.ends_with(b"PONG\r\n") {
        let text = String::from_utf8_lossy(&json);
        assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok(), "taken: {text}");
        assert!(text.trim_start().starts_with(['{', 'n']), "taken: {text}");
        assert!(!guarded || text.contains("secret") || text.contains('\\'), "let in: {text}");
    }
});
