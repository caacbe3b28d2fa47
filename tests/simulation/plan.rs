//! What is special about a run.

use crate::random::Random;
use crate::request::{KINDS, Kind};

/// What is special about a run. Each run is different, so that rare things meet often in some.
pub struct Plan {
    pub clients: usize,
    pub steps: usize,
    /// Workers besides the first one.
    pub others: usize,
    pub max_connections: usize,
    /// One step in so many moves the clock by seconds; `None`: never.
    pub stalls: Option<usize>,
    pub drains: bool,
    pub kinds: Vec<Kind>,
    pub interference: usize,
}

impl Plan {
    pub fn new(random: &mut Random) -> Self {
        let clients = 2 + random.below(40);
        let favourite = random.pick(&KINDS);
        let drains = random.below(4) == 0;
        Self {
            clients,
            steps: clients * 60,
            others: random.below(3),
            max_connections: random.pick(&[1000, 1000, 1000, 4]),
            stalls: random.pick(&[None, None, Some(200), Some(30)]),
            drains,
            kinds: match random.below(3) {
                // Answers that are in the middle when the shutdown begins.
                _ if drains && random.below(2) == 0 => vec![Kind::Large, Kind::Small],
                0 => vec![favourite, Kind::Small],
                _ => Vec::new(),
            },
            interference: random.pick(&[2, 4, 20]),
        }
    }
    /// Nothing happens but what a test does.
    pub fn still() -> Self {
        Self {
            clients: 1,
            steps: 0,
            others: 0,
            max_connections: 1000,
            stalls: None,
            drains: false,
            kinds: Vec::new(),
            interference: usize::MAX,
        }
    }
}
