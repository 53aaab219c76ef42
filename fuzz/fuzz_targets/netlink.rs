//! Any bytes: no panic, no message longer than the datagram, and what is read stays within it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_genetlink::Family;
use proto_nl80211::{Interface, Report, Station};
use proto_rtnetlink::{Attributes, Change, Messages, News};

fuzz_target!(|bytes: &[u8]| {
    let mut total = 0;
    for message in Messages::new(bytes) {
        let Ok(message) = message else { break };
        total += 16 + message.payload.len();
        assert!(total <= bytes.len());
        let _ = (message.outcome(), message.is_interrupted(), message.replaces());
        if let Some(Change::New(News::Link(link)) | Change::Gone(News::Link(link))) = message.change() {
            assert!(link.name.len() <= message.payload.len());
        }
        let _ = (Report::read(message.payload), Interface::read(message.payload), Station::read(message.payload));
        if let Some(exit) = proto_taskstats::exit(message.payload) {
            assert!(message.payload.len() > 368, "{exit:?} from too little");
        }
        let _ = Family::read(message.payload).and_then(|family| family.group(b"mlme"));
    }
    assert!(Attributes::new(bytes).map(|attribute| attribute.value.len() + 4).sum::<usize>() <= bytes.len().max(4) * 2);
});
