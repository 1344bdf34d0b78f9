//! The binary: parse, dispatch, map an error to its exit code.

use clap::Parser;
use infusewatch::cli::{Arguments, ExitStatus};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitStatus::Usage.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match arguments.run() {
        Ok(status) => status.into(),
        Err(failure) => {
            eprintln!("infusewatch: {failure}");
            failure.status.into()
        }
    }
}
