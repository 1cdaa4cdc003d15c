//! No core dump: a process that holds passwords leaves none behind.

use std::io;

/// Keeps the system from writing this process's memory to a disk when it crashes, and other processes of the same
/// user from reading it.
///
/// # Errors
/// When the system refuses.
#[cfg(target_os = "linux")]
pub fn disable() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Other systems write none unless an administrator asks for them.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn disable() -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    #[test]
    fn the_kernel_is_told() {
        super::disable().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
