//! Paths in archives: which of them spec-kit extracts, and which two collide.
//!
//! Invariant: an accepted path has no absolute, empty, `.` or `..` part and no name that Windows
//! gives to a device, so that extracting it anywhere stays inside. This server extracts nothing; it
//! must not list what clients refuse.
//!
//! Sources: APPNOTE 6.3.10, section 4.4.4 (bit 11) and appendix D (code page 437); what `specify`
//! 1.2.3 refuses.

use memchr::{memchr, memchr2};

const PATH_BYTES_MAX: usize = 4096;
const PART_BYTES_MAX: usize = 255;

/// Bytes 128 to 255 of IBM's code page 437, in which names are written that are not marked as
/// UTF-8.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The path that a directory's record names, with `/` between its parts; `None` for one that no
/// reader should accept.
pub fn decode(name: &[u8], is_utf8: bool) -> Option<String> {
    let path = if is_utf8 || name.is_ascii() {
        String::from_utf8(name.to_vec()).ok()?
    } else {
        let upper_half: Vec<char> = CODE_PAGE_437.chars().collect();
        let decoded = |byte: &u8| match byte {
            0..=127 => char::from(*byte),
            _ => upper_half[usize::from(byte - 128)],
        };
        name.iter().map(decoded).collect()
    };
    // Few archives have one, and replacing takes ten times as long as looking.
    if memchr(b'\\', name).is_none() {
        return Some(path);
    }
    Some(path.replace('\\', "/"))
}

/// Whether spec-kit extracts a path, on every system it runs on.
pub fn is_portable(path: &str) -> bool {
    let mut bytes = path.bytes();
    let has_drive =
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic()) && bytes.next() == Some(b':');
    let parts = path.strip_suffix('/').unwrap_or(path).split('/');
    path.len() <= PATH_BYTES_MAX && !has_drive && parts.into_iter().all(is_portable_part)
}

fn is_portable_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= PART_BYTES_MAX
        && !has_forbidden(part)
        && !part.starts_with(' ')
        && !part.ends_with([' ', '.'])
        && !is_device(part)
}

/// By bytes where that is enough: an archive may have half a million of them in its paths.
fn has_forbidden(part: &str) -> bool {
    let is_forbidden = |byte: u8| {
        byte.is_ascii_control() || matches!(byte, b'<' | b'>' | b':' | b'"' | b'|' | b'?' | b'*')
    };
    part.bytes().any(is_forbidden) || !part.is_ascii() && part.contains(char::is_control)
}

/// Whether Windows takes a file's name for a device, whatever comes after its first dot.
pub fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let end = memchr2(b'.', b':', name.as_bytes());
    let stem = end.map_or(name, |end| &name[..end]);
    let stem = stem.trim_end_matches(' ');
    let is_one_of = |text: &str, names: &[&str]| {
        let mut names = names.iter();
        names.any(|name| text.eq_ignore_ascii_case(name))
    };
    let is_port = stem.split_at_checked(3).is_some_and(|(port, number)| {
        let mut number = number.chars();
        let is_digit = matches!(number.next(), Some('1'..='9' | '¹' | '²' | '³'));
        is_digit && number.next().is_none() && is_one_of(port, &["com", "lpt"])
    });
    is_port || is_one_of(stem, &DEVICES)
}

/// What two paths have in common that a file system ignoring case takes for one, with NUL between
/// the parts, which orders a folder's paths right after it. Unicode normalisation is left to the
/// clients: two names that differ in it alone are no accident.
pub fn folded(path: &str) -> String {
    let path = path.strip_suffix('/').unwrap_or(path);
    // The same for ASCII, in a tenth of the time.
    let folded = if path.is_ascii() {
        path.to_ascii_lowercase()
    } else {
        path.to_uppercase().to_lowercase()
    };
    folded.replace('/', "\0")
}
