//! The commands beside `serve`, and how a start fails: exit codes and one line that names the
//! cause.

mod command_line;
mod health_check;
mod settings;
mod verify;
