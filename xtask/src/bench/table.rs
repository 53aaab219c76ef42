//! Small numbers as text.

/// The middle value; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// `1.23×`, our value over the peer's.
pub fn ratio(ours: f64, peer: f64) -> String {
    if peer > 0.0 { format!("{:.2}×", ours / peer) } else { "–".to_owned() }
}
