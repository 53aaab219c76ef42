//! What an input device is, by the events it can send (`linux/input-event-codes.h`; the same bits that udev's input_id looks at).

use interfaces::hardware::InputKind;

const EV_KEY: usize = 1;
const EV_REL: usize = 2;
const EV_ABS: usize = 3;
const EV_SW: usize = 5;
const PROP_DIRECT: usize = 1;
const BTN_LEFT: usize = 0x110;
const BTN_TRIGGER: usize = 0x120;
const BTN_GAMEPAD: usize = 0x130;
const BTN_TOOL_PEN: usize = 0x140;
const BTN_TOOL_FINGER: usize = 0x145;
const BTN_TOUCH: usize = 0x14a;
const BTN_STYLUS: usize = 0x14b;

/// Bit fields as a uevent writes them: words of the machine's size in hexadecimal, the highest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Capabilities<'a> {
    /// EV: sorts of events.
    pub events: &'a str,
    /// KEY: keys and buttons.
    pub keys: &'a str,
    /// REL: relative axes.
    pub relative: &'a str,
    /// ABS: absolute axes.
    pub absolute: &'a str,
    /// PROP: properties.
    pub properties: &'a str,
}

impl Capabilities<'_> {
    /// The first kind that fits.
    #[must_use]
    pub fn kind(&self) -> InputKind {
        let event = |bit| has(self.events, bit);
        let key = |bit| event(EV_KEY) && has(self.keys, bit);
        let moves = event(EV_REL) && has(self.relative, 0) && has(self.relative, 1);
        let points = event(EV_ABS) && has(self.absolute, 0) && has(self.absolute, 1);
        let direct = has(self.properties, PROP_DIRECT);
        if event(EV_KEY) && (1..32).all(|bit| has(self.keys, bit)) {
            InputKind::Keyboard
        } else if points && (key(BTN_STYLUS) || key(BTN_TOOL_PEN)) {
            InputKind::Tablet
        } else if points && key(BTN_TOOL_FINGER) && !direct {
            InputKind::Touchpad
        } else if points && (direct || key(BTN_TOUCH)) {
            InputKind::Touchscreen
        } else if points && (key(BTN_TRIGGER) || key(BTN_GAMEPAD)) {
            InputKind::Joystick
        } else if key(BTN_LEFT) && (moves || points) {
            InputKind::Mouse
        } else if event(EV_KEY) {
            InputKind::Buttons
        } else if event(EV_SW) {
            InputKind::Switch
        } else {
            InputKind::Other
        }
    }
}

fn has(words: &str, bit: usize) -> bool {
    const WORD_BITS: usize = usize::BITS as usize;
    let word = words.split_ascii_whitespace().rev().nth(bit / WORD_BITS);
    word.and_then(|word| u64::from_str_radix(word, 16).ok()).is_some_and(|word| word >> (bit % WORD_BITS) & 1 == 1)
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    fn kind(events: &str, keys: &str, relative: &str, absolute: &str, properties: &str) -> InputKind {
        Capabilities { events, keys, relative, absolute, properties }.kind()
    }

    #[test]
    fn devices_are_what_people_call_them() {
        let keys = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe";
        assert_eq!(kind("120013", keys, "", "", "0"), InputKind::Keyboard);
        assert_eq!(kind("7", "70000 0 0 0 0", "3", "", "0"), InputKind::Mouse);
        assert_eq!(kind("b", "70000 0 0 0 0", "", "3", "0"), InputKind::Mouse);
        assert_eq!(kind("b", "e520 10000 0 0 0 0", "", "2608000 3", "5"), InputKind::Touchpad);
        assert_eq!(kind("b", "400 0 0 0 0 0", "", "2608000 3", "2"), InputKind::Touchscreen);
        assert_eq!(kind("3", "10000000000000 0", "", "", "0"), InputKind::Buttons);
        assert_eq!(kind("21", "", "", "", "0"), InputKind::Switch);
        assert_eq!(kind("40001", "", "", "", "0"), InputKind::Other);
        assert_eq!(kind("b", "ffff000000000000 0 0 0 0", "", "30027", "0"), InputKind::Joystick);
    }
}
