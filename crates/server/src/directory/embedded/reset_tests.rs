//! Resets of bound ids: how they wait, and how they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use securecall_core::resets::COUNTED_MAX;
use securecall_identity::{Kind, Link, Refusal};
use securecall_protocol::ClientId;

use super::clock::Clock;
use super::database::{create, open_storage};
use super::simulated_disk::SimulatedDisk;
use crate::directory::Replacement::Refused;
use crate::directory::identities::Owner;
use crate::directory::{
    ChainQuery, Creation, Directory, Embedded, ExtendError, Extended, Reset, Standing, Unavailable,
};

const DELAY: Duration = Duration::from_secs(300);

/// Clocks that a test sets.
#[derive(Clone, Default)]
struct Hands(Arc<Mutex<(u64, Duration)>>);

impl Hands {
    fn clock(&self) -> Clock {
        let (one, other) = (self.clone(), self.clone());
        Clock {
            unix: Box::new(move || one.0.lock().0),
            open_for: Box::new(move || other.0.lock().1),
            is_serving: Arc::default(),
        }
    }

    fn advance(&self, time: Duration) {
        self.0.lock().1 += time;
    }

    fn set_time_of_day(&self, unix: u64) {
        self.0.lock().0 = unix;
    }
}

struct World {
    disk: SimulatedDisk,
    hands: Hands,
    directory: Embedded,
}

impl World {
    fn new() -> Self {
        let disk = SimulatedDisk::default();
        drop(create(disk.clone()).unwrap());
        Self::on(disk)
    }

    fn on(disk: SimulatedDisk) -> Self {
        let hands = Hands::default();
        let opener = disk.clone();
        let open = Box::new(move || open_storage(opener.clone()));
        let directory = Embedded::start_with(open, hands.clock()).unwrap().with_reset_delay(DELAY);
        directory.set_serving();
        Self { disk, hands, directory }
    }

    fn restarted(self) -> Self {
        drop(self.directory);
        Self::on(self.disk)
    }

    /// The owner of a bound id.
    async fn owner(&self) -> Owner {
        let owner = Owner::of("alice");
        self.directory.extend(owner.link(), Creation::Allowed).await.unwrap();
        owner
    }

    fn reset(&self) -> Reset {
        self.directory.reset(ids()).unwrap()[0]
    }

    /// Lets time pass, minute by minute, and the writer see it.
    fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(Duration::from_secs(60));
            left -= step;
            self.step(step);
        }
    }

    fn step(&self, time: Duration) {
        self.hands.advance(time);
        self.directory.cancel_resets(Vec::new()).unwrap();
    }

    fn left(&self) -> Option<Duration> {
        let waiting = self.directory.pending_resets().unwrap();
        waiting.first().map(|reset| Duration::from_secs(reset.left_seconds))
    }

    fn is_reset(&self) -> bool {
        matches!(self.directory.standing("alice"), Standing::Reset(_))
    }
}

fn ids() -> Vec<ClientId> {
    vec!["alice".try_into().unwrap()]
}

#[tokio::test]
async fn a_reset_waits_and_is_carried_out_and_the_id_is_bound_again() {
    let world = World::new();
    let mut owner = world.owner().await;
    let directory = &world.directory;
    directory.register("alice", r#""k""#, Refused.into()).await.unwrap();
    directory.publish(&owner.id(), owner.bundle(1).as_bytes()).await.unwrap();
    let heard = Arc::<Mutex<Vec<(Kind, Standing)>>>::default();
    let listener = heard.clone();
    directory.watch(Box::new(move |change| listener.lock().push((change.kind, change.standing))));

    assert_eq!(world.reset(), Reset::Pending { seconds: DELAY.as_secs() });
    world.pass(DELAY - Duration::from_secs(1));
    assert!(!world.is_reset() && heard.lock().is_empty());
    assert_eq!(world.reset(), Reset::Pending { seconds: 1 }, "asking again does not begin anew");
    world.pass(Duration::from_secs(1));

    let page = directory.chain("alice", ChainQuery::default()).await.unwrap().unwrap();
    let link = Link::parse(&page.links[0]).unwrap();
    let standing = Standing::Reset(link.position().hash);
    assert_eq!(directory.standing("alice"), standing);
    assert_eq!(*heard.lock(), [(Kind::Reset, standing)]);
    assert!(*link.previous() == owner.link().position().hash && page.bundle.is_none());
    assert_eq!(directory.lookup("alice").await.unwrap(), None, "the key went, too");
    assert_eq!(world.left(), None);

    let late = directory.extend(owner.rotate(), Creation::Allowed).await;
    assert_eq!(late, Err(ExtendError::Refused(Refusal::OtherEpoch)));
    let next = Owner::after_reset(link).link();
    let added = directory.extend(next.clone(), Creation::Refused).await;
    assert_eq!(added, Ok(Extended::Added(next.position())));
    let history = directory.history(&ids()[0], None).unwrap();
    let kinds: Vec<_> = history.iter().map(|link| link.kind).collect();
    assert_eq!(kinds, [Kind::Inception, Kind::Reset, Kind::Inception]);
    drop(World::restarted(world));
}

#[tokio::test]
async fn any_link_of_the_owner_ends_a_reset_that_waits() {
    for act in [Owner::rotate, Owner::recover, Owner::end] {
        let world = World::new();
        let mut owner = world.owner().await;
        // However often somebody has rotated before.
        for _ in 0..4 {
            world.directory.extend(owner.rotate(), Creation::Refused).await.unwrap();
        }
        world.reset();
        let link = act(&mut owner);
        world.directory.extend(link, Creation::Refused).await.unwrap();
        assert_eq!(world.left(), None);
        world.pass(DELAY);
        assert!(!world.is_reset());
    }
}

#[tokio::test]
async fn a_link_that_is_there_already_and_one_that_is_refused_are_no_objections() {
    let world = World::new();
    let owner = world.owner().await;
    world.reset();
    world.directory.extend(owner.link(), Creation::Refused).await.unwrap();
    let rival = Owner::rival_of("alice").link();
    assert!(world.directory.extend(rival, Creation::Refused).await.is_err());
    assert_eq!(world.left(), Some(DELAY));
}

#[tokio::test]
async fn an_objection_in_the_same_commit_as_the_time_wins_and_one_after_it_loses() {
    let world = World::new();
    let mut owner = world.owner().await;
    world.reset();
    world.pass(DELAY - Duration::from_secs(30));
    // The writer is busy while the time runs out and the objection comes in.
    world.disk.set(|faults| faults.syncs_hang = true);
    let busy = world.directory.register("bob", r#""k""#, Refused.into());
    while !world.disk.is_syncing() {
        std::thread::sleep(Duration::from_millis(1));
    }
    world.hands.advance(Duration::from_secs(30));
    let objection = world.directory.extend(owner.rotate(), Creation::Refused);
    world.disk.set(|faults| faults.syncs_hang = false);
    busy.await.unwrap();
    objection.await.unwrap();
    assert!(!world.is_reset() && world.left().is_none());

    world.reset();
    world.pass(DELAY);
    assert!(world.is_reset());
    let late = world.directory.extend(owner.recover(), Creation::Refused).await;
    assert_eq!(late, Err(ExtendError::Refused(Refusal::OtherEpoch)));
}

#[tokio::test]
async fn an_operator_withdraws_a_reset() {
    let world = World::new();
    world.owner().await;
    assert_eq!(world.directory.cancel_resets(ids()), Ok(vec![false]));
    world.reset();
    assert_eq!(world.directory.cancel_resets(ids()), Ok(vec![true]));
    world.pass(DELAY);
    assert!(!world.is_reset());
}

#[tokio::test]
async fn no_clock_that_is_set_shortens_the_delay() {
    let world = World::new();
    world.owner().await;
    world.reset();
    for unix in [4_000_000_000, u64::MAX] {
        world.hands.set_time_of_day(unix);
        world.pass(Duration::from_secs(60));
    }
    assert_eq!(world.left(), Some(DELAY - Duration::from_secs(120)));
    // A machine that stood still for a year.
    world.step(Duration::from_secs(365 * 86_400));
    assert_eq!(world.left(), Some(DELAY - Duration::from_secs(120) - COUNTED_MAX));
    assert!(!world.is_reset());
}

#[tokio::test]
async fn only_time_in_which_clients_are_served_counts() {
    let world = World::new();
    world.owner().await;
    world.reset();
    world.pass(Duration::from_secs(120));
    let stopped = {
        let hands = Hands::default();
        let disk = world.disk.clone();
        drop(world.directory);
        let opener = disk.clone();
        let open = Box::new(move || open_storage(opener.clone()));
        let directory = Embedded::start_with(open, hands.clock()).unwrap();
        World { disk, hands, directory }
    };
    stopped.pass(Duration::from_secs(600));
    let left = DELAY - Duration::from_secs(120);
    assert_eq!(stopped.left(), Some(left), "it was kept, and no more was counted");
    let started = stopped.restarted();
    started.pass(left);
    assert!(started.is_reset());
}

#[tokio::test]
async fn time_in_which_nothing_could_be_written_does_not_count() {
    let world = World::new();
    world.owner().await;
    world.reset();
    world.disk.set(|faults| faults.broken = true);
    world.hands.advance(Duration::from_secs(60));
    assert_eq!(world.directory.cancel_resets(Vec::new()), Err(Unavailable));
    world.disk.set(|faults| faults.broken = false);
    std::thread::sleep(super::volume::RETRY_PAUSE + Duration::from_millis(50));
    world.step(Duration::from_secs(1));
    let left = world.left().unwrap();
    assert!(left >= DELAY - Duration::from_secs(1), "{left:?}");
}

#[tokio::test]
async fn the_writer_wakes_by_itself_when_a_reset_is_due() {
    let disk = SimulatedDisk::default();
    drop(create(disk.clone()).unwrap());
    let directory = Embedded::start(Box::new(move || open_storage(disk.clone()))).unwrap();
    let delay = Duration::from_millis(300);
    let directory = directory.with_reset_delay(delay);
    directory.set_serving();
    directory.extend(Owner::of("alice").link(), Creation::Allowed).await.unwrap();
    let asked_at = Instant::now();
    directory.reset(ids()).unwrap();
    while !matches!(directory.standing("alice"), Standing::Reset(_)) {
        assert!(asked_at.elapsed() < Duration::from_secs(20), "it is not carried out");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(asked_at.elapsed() >= delay);
}
