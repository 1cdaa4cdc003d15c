//! `simulate`: runs worlds, and tells which did not hold.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulation::{Fault, Telling, Totals, Violation, Wish, run};

/// Runs the real engine in worlds made from a seed, and checks its rules at every step.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Run only this world.
    #[arg(long)]
    seed: Option<u64>,
    /// Run so many worlds.
    #[arg(long, default_value_t = 100, conflicts_with = "seed")]
    worlds: u64,
    /// The seed of the first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// How many days a world lasts.
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// Run so many worlds at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Tell every step of the world.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// How many of the last steps a violation is shown with.
    #[arg(long, default_value_t = 60)]
    last: usize,
    /// Leave out these kinds of faults.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Fault>,
    /// After a violation look for faults that it does not need, and leave them out.
    #[arg(long)]
    shrink: bool,
    /// Go on after a violation.
    #[arg(long)]
    keep_going: bool,
}

impl Options {
    fn wish(&self, seed: u64) -> Wish {
        Wish {
            seed,
            days: self.days,
            without: self.without.iter().copied().collect(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the totals are this program's output")]
fn main() -> ExitCode {
    let options = Options::parse();
    let began = Instant::now();
    let (totals, broken) = match options.seed {
        Some(seed) => run_one(&options, seed),
        None => run_many(&options),
    };
    println!("{totals}");
    println!("{:<30}{:>10.1} s", "time", began.elapsed().as_secs_f64());
    let rare = totals.too_rare();
    let is_sample = options.seed.is_none() && options.worlds >= 100 && options.without.is_empty();
    if is_sample && !rare.is_empty() {
        println!("too few worlds had: {}", rare.join(", "));
        return ExitCode::FAILURE;
    }
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("worlds that did not hold: {broken:?}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "the trace is this program's output")]
fn run_one(options: &Options, seed: u64) -> (Totals, Vec<u64>) {
    let wish = options.wish(seed);
    if options.trace {
        let ran = run(&wish, Telling::Everything);
        for line in &ran.trace {
            println!("{line}");
        }
    }
    let ran = run(&wish, Telling::Silent);
    let broken = ran.violation.map(|violation| {
        show(options, &wish, &violation);
        seed
    });
    (ran.totals, broken.into_iter().collect())
}

fn run_many(options: &Options) -> (Totals, Vec<u64>) {
    let next = AtomicU64::new(options.first_seed);
    let end = options.first_seed + options.worlds;
    let sum = Mutex::new((Totals::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= end {
                        return;
                    }
                    let wish = options.wish(seed);
                    let ran = run(&wish, Telling::Silent);
                    let mut sum = sum
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    sum.0 += ran.totals;
                    if let Some(violation) = ran.violation {
                        sum.1.push(seed);
                        show(options, &wish, &violation);
                        if !options.keep_going {
                            next.store(end, Ordering::SeqCst);
                        }
                    }
                }
            });
        }
    });
    sum.into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Prints all that is needed to understand a violation, and to see it again.
#[expect(
    clippy::print_stdout,
    reason = "the violation is this program's output"
)]
fn show(options: &Options, wish: &Wish, violation: &Violation) {
    let wish = if options.shrink {
        shrink(wish, violation)
    } else {
        wish.clone()
    };
    let ran = run(&wish, Telling::Everything);
    let violation = ran.violation.unwrap_or_else(|| violation.clone());
    let from = ran.trace.len().saturating_sub(options.last);
    println!(
        "world {} does not hold at step {}, {}",
        wish.seed, violation.step, violation.at
    );
    println!("  rule: {}", violation.invariant.words());
    println!("  but:  {}", violation.words);
    println!("  again: {}", command(&wish));
    for line in ran.trace.iter().skip(from) {
        println!("    {line}");
    }
}

fn command(wish: &Wish) -> String {
    let without: Vec<_> = wish.without.iter().map(|fault| fault.word()).collect();
    let mut command = format!(
        "cargo run --release -p simulation -- --seed {} --days {} --trace",
        wish.seed, wish.days
    );
    if !without.is_empty() {
        command = format!("{command} --without {}", without.join(","));
    }
    command
}

/// Leaves out every kind of fault without which the same rule still breaks.
fn shrink(wish: &Wish, violation: &Violation) -> Wish {
    let mut least = wish.clone();
    for fault in Fault::ALL {
        let mut without: BTreeSet<Fault> = least.without.clone();
        without.insert(*fault);
        let tried = Wish {
            without,
            ..least.clone()
        };
        let ran = run(&tried, Telling::Silent);
        if ran
            .violation
            .is_some_and(|it| it.invariant == violation.invariant)
        {
            least = tried;
        }
    }
    least
}
