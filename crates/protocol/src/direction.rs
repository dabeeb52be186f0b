//! Marks in other people's texts that change in which order what stands beside them is read.

/// Unicode's explicit marks of direction (UAX 9, section 2). They are left out wherever a text stands among
/// ours.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
