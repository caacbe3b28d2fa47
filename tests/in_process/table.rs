//! The table of connections by itself: no event is lost, and none reaches another connection.

use release_server::clock::Clock;
use release_server::server::table::{Parked, Parking, Table};

fn table() -> Table<&'static str> {
    Table::new(Clock::manual().now())
}

#[test]
fn an_event_for_a_held_connection_is_kept_until_it_is_parked() {
    let table = table();
    let id = table.reserve();
    assert_eq!(table.take(id), None, "a worker holds it");
    let park = || table.park(id, "connection", Parking::Storing, None);
    assert!(matches!(park(), Parked::Woken("connection")));
    assert!(matches!(park(), Parked::Done), "one event is one turn");
    assert_eq!(table.take(id), Some("connection"));
}

#[test]
fn an_event_of_a_closed_connection_reaches_no_later_one() {
    let table = table();
    let closed = table.reserve();
    assert!(table.release(closed), "it was the last one");
    let later = table.reserve();
    assert_eq!(table.take(closed), None);
    let park = || table.park(later, "later", Parking::Storing, None);
    assert!(matches!(park(), Parked::Done), "the event was another's");
    assert_eq!(table.take(closed), None);
    assert_eq!(table.take(later), Some("later"));
}
