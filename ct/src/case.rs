//! What is run, what is promised of it, and where inside the core a public decision is taken.

/// One run under memcheck, in a process of its own.
pub(crate) struct Case {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What memcheck has to say of it.
    pub(crate) expected: Expected,
    /// Runs it.
    pub(crate) run: fn(),
}

/// What memcheck has to say of a case.
pub(crate) enum Expected {
    /// Nothing, but where one of these public decisions is taken.
    Clean(&'static [Place]),
    /// At least one branch or address that depends on a secret: this is what a careless program does.
    Reported,
}

/// Where a decision falls that is public by design.
pub(crate) struct Place {
    /// The end of the file's path; a dependency's begins with its name.
    pub(crate) file: &'static str,
    /// Text that the line of source has, or behind `fn` the end of the function's name.
    pub(crate) line: &'static str,
    /// A file through which it is called, where it is public in that use only.
    pub(crate) from: &'static str,
    /// Why the decision may be seen.
    pub(crate) reason: &'static str,
}

impl Case {
    pub(crate) const fn promised(name: &'static str, places: &'static [Place], run: fn()) -> Self {
        Self { name, expected: Expected::Clean(places), run }
    }

    pub(crate) const fn naive(name: &'static str, run: fn()) -> Self {
        Self { name, expected: Expected::Reported, run }
    }
}
