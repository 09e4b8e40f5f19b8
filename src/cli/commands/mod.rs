//! One file per group of commands. Each turns the arguments into a call of `pipeline` and tells the user what
//! was done.

mod check;
mod check_summary;
mod compare;
mod demo;
mod demo_grid;
mod evaluate;
mod evaluate_marks;
mod export;
mod figure;
mod fit;
mod ingest;
mod ingest_screen;
mod inspect;
mod plan;
mod report;
mod schema;
mod score;
mod serve;
mod shell;
mod synth;

use super::args::Command;
use super::console::Console;
use super::exit::Result;

pub(super) fn run(command: Command, console: &Console) -> Result {
    match command {
        Command::Check(args) => check::run(&args, console),
        Command::Demo(args) if args.grid => demo_grid::run(&args, console),
        Command::Demo(args) => demo::run(&args, console),
        Command::Synth(args) => synth::run(&args, console),
        Command::Schema(args) => schema::run(&args, console),
        Command::Ingest(args) => ingest::run(&args, console),
        Command::Plan(args) => plan::plan(&args),
        Command::Spark(args) => plan::spark(&args, console),
        Command::Fit(args) => fit::run(&args, console),
        Command::Score(args) => score::score(&args, console),
        Command::Inspect(args) => inspect::run(&args),
        Command::Sample(args) => score::sample(&args, console),
        Command::Flag(args) => score::flag(&args, console),
        Command::Evaluate(args) => evaluate::run(&args, console),
        Command::Export(args) => export::run(&args, console),
        Command::Compare(args) => compare::run(&args, console),
        Command::Report(args) => report::run(&args, console),
        Command::Figure(args) => figure::run(&args, console),
        Command::Serve(args) => serve::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args, console),
    }
}
