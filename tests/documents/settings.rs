//! The tables of settings, made from `config::keys`.

use super::check_made_part;
use release_server::config::keys::{self, Key};
use std::fmt::Write as _;

const MANUAL_WIDTH_MAX: usize = 78;

fn markdown_row(key: &Key) -> String {
    let variables: Vec<String> = key
        .variables
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let default = match key.default {
        "" => key.unset.to_owned(),
        default => format!("`{default}`"),
    };
    format!(
        "| `{}` | {} | {default} | {} |\n",
        key.name,
        variables.join(", "),
        key.takes
    )
}

fn manual_entry(key: &Key) -> String {
    let mut entry = format!(".It Ev {} Pq Li {}\n", key.variables.join(" , "), key.name);
    let default = match key.default {
        "" => String::new(),
        default => format!(" [{default}]"),
    };
    let mut width = 0;
    for word in format!("{}{default}", key.takes).split(' ') {
        let separator = match width {
            0 => "",
            _ if width + 1 + word.len() > MANUAL_WIDTH_MAX => "\n",
            _ => " ",
        };
        if separator == "\n" {
            width = 0;
        }
        width += separator.len() + word.len();
        write!(entry, "{separator}{word}").unwrap();
    }
    entry + "\n"
}

#[test]
fn the_tables_of_settings_are_those_of_the_source() {
    let rows: String = keys::ALL.iter().map(|key| markdown_row(key)).collect();
    let table = format!("\n| Key | Variable | Default | Accepted |\n|---|---|---|---|\n{rows}\n");
    let end = "<!-- end of settings -->";
    check_made_part("docs/configuration.md", "<!-- settings:", end, &table);
    let entries: String = keys::ALL.iter().map(|key| manual_entry(key)).collect();
    let end = ".\\\" end of settings";
    check_made_part("docs/release-server.1", ".\\\" settings:", end, &entries);
}
