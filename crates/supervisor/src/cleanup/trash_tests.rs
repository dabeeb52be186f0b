//! What a sweep comes to, and what receipts say of it.

use cleanup::{Failure, ItemReceipt, Place, VolumeReceipt, Why};

use super::*;

fn receipt(at: Timestamp) -> CleanupReceipt {
    let mut receipt = shown::empty_receipt(at);
    receipt.volumes.push(protocol::VolumeReceipt {
        path: "/w/work".into(),
        total: Bytes(9),
        free_before: Bytes(1),
        free_after: Bytes(1),
    });
    receipt
}

fn swept(seconds: i64, freed: u64, failures: usize) -> Receipt {
    let batch = format!("/w/work.kept/{}/{seconds:010}-7-0.going", cleanup::TRASH);
    let failure = |number: usize| Failure {
        path: Place::from(format!("{batch}/0/{number}")),
        why: Why::Immutable,
        way_out: "chattr".into(),
    };
    Receipt {
        version: 1,
        at: Timestamp::UNIX_EPOCH,
        freed,
        removed: 1,
        items: vec![ItemReceipt {
            path: batch.as_str().into(),
            rule: "trash".into(),
            why: String::new(),
            planned: 0,
            freed,
            fate: Fate::Partly,
        }],
        volumes: vec![VolumeReceipt {
            path: "/w/work.kept".into(),
            total: 9,
            free_before: 1,
            free_after: 5,
        }],
        failures: (0..failures).map(failure).collect(),
        more_failures: 0,
    }
}

fn of(receipts: Vec<Receipt>) -> Swept {
    let receipts = receipts.into_iter().map(|receipt| (None, receipt)).collect();
    Swept { receipts, undoable: vec![1_790_000_000], ..Swept::default() }
}

#[test]
fn what_no_receipt_tells_of_is_the_rest_and_gets_one() {
    let swept = of(vec![swept(1_790_000_000, 7, 1), swept(1_790_000_001, 100, 2)]);
    let rest = shown::receipt(Of::all(CleanupWhy::Rest), Timestamp::UNIX_EPOCH, &swept.rest());
    assert_eq!((rest.freed, rest.failures.len(), rest.groups.len()), (Bytes(100), 2, 1));
    assert_eq!(rest.groups[0].title, "What earlier clean-ups left");
    assert!(of(Vec::new()).rest().is_empty());
}

#[test]
fn what_may_be_put_back_still_is_nobody_s_rest_and_is_swept_later() {
    let fate = |fate: Fate| {
        let mut swept = swept(1_790_000_001, 0, 0);
        swept.items[0].fate = fate;
        of(vec![swept])
    };
    let kept = fate(Fate::SetAside);
    assert!(kept.rest().is_empty() && kept.leaves_some());
    let mut its = receipt(Timestamp::from_second(1_790_000_001).unwrap());
    assert!(!kept.amend(&mut its), "it did not go");
    let cut = fate(Fate::Stopped);
    assert!(cut.leaves_some() && cut.rest().len() == 1);
    for done in [Fate::Deleted, Fate::Partly] {
        assert!(!fate(done).leaves_some());
    }
}

#[test]
fn a_sweep_that_was_cut_says_what_it_freed_and_leaves_the_rest_to_the_next() {
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let aside = protocol::SetAside { entries: 1, bytes: Bytes(10) };
    let group = protocol::ReceiptGroup {
        preset: "kept".into(),
        title: "Kept".into(),
        planned: Some(Bytes(10)),
        freed: Bytes(0),
        went: 1,
        stayed: 0,
        set_aside: Some(aside),
        note: None,
    };
    let first = CleanupReceipt { undo_until: Some(at), groups: vec![group], ..receipt(at) };
    let mut cut = of(vec![swept(1_790_000_000, 7, 1), swept(1_790_000_001, 100, 2)]);
    cut.stopped = true;
    for (_, receipt) in &mut cut.receipts {
        receipt.items[0].fate = Fate::Stopped;
    }
    let second = cut.noted(&first).unwrap();
    assert_eq!((second.freed, second.undo_until), (Bytes(7), Some(at)));
    assert!(second.failures.is_empty() && second.groups[0].set_aside.is_some());
    let rest = shown::receipt(Of::all(CleanupWhy::Rest), at, &cut.rest());
    assert_eq!((rest.freed, rest.failures.len()), (Bytes(100), 0));
    // Of one that it did not come to nothing is said, and nothing is over.
    let none = Swept { stopped: true, ..of(Vec::new()) };
    assert_eq!(none.noted(&second), None);
    let third = of(vec![swept(1_790_000_000, 3, 1)]).noted(&second).unwrap();
    assert_eq!((third.freed, third.undo_until), (Bytes(10), None));
    assert!(third.failures.len() == 1 && third.groups[0].set_aside.is_none());
    // All of it went in the first: the next finds nothing.
    assert_eq!(of(Vec::new()).noted(&second).unwrap().undo_until, None);
    let not_asked = Swept { failed: vec!["as ci: no".into()], ..of(Vec::new()) };
    assert_eq!(not_asked.noted(&second), None);
}

#[test]
fn what_a_sweep_freed_and_could_not_delete_is_added_to_the_receipt_that_it_is_of() {
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let swept = of(vec![swept(1_790_000_000, 7, 1), swept(1_790_000_001, 100, 2)]);
    let mut of_it = receipt(at);
    assert!(swept.amend(&mut of_it));
    assert_eq!((of_it.freed, of_it.failures.len(), of_it.more_failures), (Bytes(7), 1, 0));
    assert_eq!(of_it.volumes[0].free_after, Bytes(5), "its trash lies beside it");
    assert!(failure_of(&of_it).is_some_and(|why| why.contains("A mark of the file system")));
    let mut other = receipt(Timestamp::from_second(1_790_000_002).unwrap());
    assert!(!swept.amend(&mut other));
    assert_eq!((other.freed, other.failures.len()), (Bytes(0), 0));
}

#[test]
fn what_lies_in_a_trash_that_may_not_be_opened_is_a_failure_of_its_receipt() {
    let mut refused = swept(1_790_000_000, 0, 1);
    refused.items[0].fate = Fate::Failed;
    refused.volumes.clear();
    let refused = of(vec![refused]);
    let mut of_it = receipt(Timestamp::from_second(1_790_000_000).unwrap());
    assert!(refused.amend(&mut of_it));
    assert_eq!((of_it.freed, of_it.failures.len()), (Bytes(0), 1));
    assert!(refused.rest().is_empty() && !refused.leaves_some());
}

#[test]
fn of_very_many_that_stayed_some_are_shown_and_all_are_counted() {
    let swept = of(vec![swept(1_790_000_000, 0, MOST_FAILURES + 20)]);
    let mut of_it = receipt(Timestamp::from_second(1_790_000_000).unwrap());
    swept.amend(&mut of_it);
    assert_eq!((of_it.failures.len(), of_it.more_failures), (MOST_FAILURES, 20));
}
