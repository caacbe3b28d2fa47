//! Changes that are made in the bucket and not answered yet.

use crate::storage::name::PackageName;
use crate::storage::package::Package;
use std::sync::Arc;

/// A change that other servers are to be notified of, and that is answered then.
pub struct Finishing {
    /// The package of a publish, for retention.
    pub published: Option<Arc<Package>>,
    pub answer: Box<dyn FnOnce(Vec<PackageName>) + Send>,
}
