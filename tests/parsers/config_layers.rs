//! Settings as a process finds them: the file at `CONFIG_PATH`, `.env`, the environment.
//!
//! Tests of one process share its environment, so these run the program's own `check-config`, each
//! time in a directory of its own.
//!
//! Source: docs/contract.md, section 5.

use release_server::config::keys;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use tempfile::TempDir;

/// A working directory with a configuration file and a `.env`, each unless it is empty.
struct Surroundings {
    directory: TempDir,
}

impl Surroundings {
    fn new(yaml: &str, dotenv: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in [("config.yaml", yaml), (".env", dotenv)] {
            if !text.is_empty() {
                OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(directory.path().join(name))
                    .and_then(|mut file| file.write_all(text.as_bytes()))
                    .expect("a file of settings");
            }
        }
        Self { directory }
    }

    /// The output of `check-config` with these variables: standard output if it succeeds, else
    /// standard error.
    fn check(&self, variables: &[(&str, &str)]) -> Result<String, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_release-server"))
            .arg("check-config")
            .current_dir(self.directory.path())
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        match output.status.code() {
            Some(0) => Ok(text(output.stdout)),
            Some(1) => Err(text(output.stderr)),
            _ => panic!("{output:?}"),
        }
    }
}

/// The line of `check-config` for a key: its value and the origin.
fn effective(key: &str, checked: &Result<String, String>) -> String {
    let text = checked.as_ref().expect("good settings");
    let line = text
        .lines()
        .find(|line| line.split(' ').next() == Some(key));
    let line = line.unwrap_or_else(|| panic!("{key} in {text}"));
    line[key.len()..].trim().to_owned()
}

const CONFIG: (&str, &str) = ("CONFIG_PATH", "config.yaml");
/// A file at the default path of the testing machine does not count.
const NO_CONFIG: (&str, &str) = ("CONFIG_PATH", "/dev/null");

fn refused(subject: &str, value: &str) -> Result<String, String> {
    let takes = "it takes a number from 0 to 65535 (0: any free port)";
    Err(format!(
        "release-server: {subject}: '{value}' is not accepted; {takes}\n"
    ))
}

#[test]
fn each_layer_overrides_the_one_before() {
    let bad_file = Surroundings::new("auth_token: a\nport: file\n", "");
    assert_eq!(
        bad_file.check(&[CONFIG]),
        refused("config.yaml: port", "file")
    );
    let bad_dotenv = Surroundings::new("auth_token: a\nport: 1\n", "PORT=dotenv\n");
    assert_eq!(
        bad_dotenv.check(&[CONFIG]),
        refused("PORT in .env", "dotenv")
    );
    let environment = bad_dotenv.check(&[CONFIG, ("PORT", "environment")]);
    assert_eq!(environment, refused("PORT", "environment"));
    // Only the good value of a later layer counts.
    let port = |checked| effective("port", &checked);
    assert_eq!(port(bad_file.check(&[CONFIG, ("PORT", "2")])), "2  (PORT)");
    assert_eq!(
        port(bad_dotenv.check(&[CONFIG, ("PORT", "3")])),
        "3  (PORT)"
    );
    let good_dotenv = Surroundings::new("auth_token: a\nport: file\n", "PORT=4\n");
    assert_eq!(port(good_dotenv.check(&[CONFIG])), "4  (PORT in .env)");
    let good_file = Surroundings::new("auth_token: a\nport: 5\n", "");
    assert_eq!(port(good_file.check(&[CONFIG])), "5  (config.yaml: port)");
    assert_eq!(
        port(bad_file.check(&[NO_CONFIG, ("AUTH_TOKEN", "a")])),
        "8000  (default)"
    );
}

#[test]
fn check_config_shows_every_setting_and_hides_the_token() {
    let checked = Surroundings::new("", "").check(&[NO_CONFIG, ("AUTH_TOKEN", "s3cret-t0ken")]);
    assert_eq!(effective("auth_token", &checked), "(hidden)  (AUTH_TOKEN)");
    for key in keys::ALL {
        assert!(!effective(key.name, &checked).is_empty(), "{}", key.name);
    }
    assert!(!format!("{checked:?}").contains("s3cret"));
}

#[test]
fn the_file_is_named_by_either_layer_of_variables() {
    let surroundings =
        Surroundings::new("auth_token: a\nport: file\n", "CONFIG_PATH=config.yaml\n");
    assert_eq!(
        surroundings.check(&[]),
        refused("config.yaml: port", "file")
    );
}

#[test]
fn an_empty_variable_names_no_file() {
    let surroundings =
        Surroundings::new("auth_token: a\nport: file\n", "CONFIG_PATH=config.yaml\n");
    let checked = surroundings.check(&[("CONFIG_PATH", "")]);
    assert_eq!(checked, refused("config.yaml: port", "file"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let surroundings = Surroundings::new("", "");
    let variables = [("CONFIG_PATH", "missing.yaml"), ("AUTH_TOKEN", "a")];
    let error = surroundings.check(&variables).expect_err("no such file");
    let start = "release-server: CONFIG_PATH: missing.yaml cannot be read: ";
    assert!(error.starts_with(start), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_dotenv_file_has_comments_quotes_and_exports() {
    let dotenv = "# a comment\n\nexport AUTH_TOKEN='a b'\nPORT=\"5\" # five\nUNKNOWN=x\n";
    let surroundings = Surroundings::new("", dotenv);
    let checked = surroundings.check(&[NO_CONFIG]);
    assert_eq!(effective("port", &checked), "5  (PORT in .env)");
}

#[test]
fn a_malformed_dotenv_file_stops_the_start_in_one_line() {
    for dotenv in ["PORT 5\n", "PORT=5 6\n", "PORT=1\n=2\n"] {
        let error = Surroundings::new("", dotenv).check(&[NO_CONFIG, ("AUTH_TOKEN", "a")]);
        let error = error.expect_err(dotenv);
        assert!(error.starts_with("release-server: .env: "), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_malformed_dotenv_file_does_not_show_the_token() {
    for dotenv in [
        "AUTH_TOKEN='s3cret-t0ken\n",
        "AUTH_TOKEN=s3cret-t0ken s3cret\n",
        "AUTH_TOKEN s3cret-t0ken\n",
    ] {
        let error = Surroundings::new("", dotenv).check(&[NO_CONFIG]);
        let error = error.expect_err(dotenv);
        assert!(!error.contains("s3cret"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
