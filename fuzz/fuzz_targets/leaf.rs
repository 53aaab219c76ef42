//! Any bytes, cut anywhere, give the same operations as the whole; nothing panics and nothing is consumed that is not there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nats_proto::leaf::Parser;

fn run(bytes: &[u8], piece: usize) -> (Vec<String>, String) {
    let mut parser = Parser::new(64, 256);
    let (mut buffer, mut ops) = (Vec::new(), Vec::new());
    for part in bytes.chunks(piece) {
        buffer.extend_from_slice(part);
        loop {
            match parser.parse(&buffer) {
                Err(error) => return (ops, format!("{error:?}")),
                Ok((used, op)) => {
                    assert!(used <= buffer.len());
                    let told = op.map(|op| format!("{op:?}"));
                    buffer.drain(..used);
                    let Some(told) = told else { break };
                    ops.push(told);
                }
            }
        }
    }
    (ops, String::new())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    assert_eq!(run(bytes, usize::from(piece).max(1)), run(bytes, bytes.len().max(1)));
});
