//! The replicas, and which of them are there.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom as _;
use scv_bridge::clock::{Clock as _, SystemClock};
use tokio::sync::watch;

use super::replica::Replica;
use super::site::Site;

/// All replicas of one database. Dropping it kills them.
pub struct Fleet {
    replicas: Vec<Replica>,
    up: watch::Sender<Vec<Option<String>>>,
}

/// Where flows find a replica that is there, as a load balancer would.
#[derive(Clone)]
pub struct Door(watch::Receiver<Vec<Option<String>>>);

impl Fleet {
    /// Starts all of them at once: they migrate the database at the same time.
    pub async fn start(site: &Site, replicas: usize) -> Self {
        let mut replicas: Vec<_> = (0..replicas).map(|_| Replica::new(site.path())).collect();
        replicas.iter_mut().for_each(Replica::spawn);
        for replica in &mut replicas {
            replica.ready().await;
        }
        let up = replicas.iter().map(|replica| Some(replica.url())).collect();
        Self { replicas, up: watch::Sender::new(up) }
    }

    /// The way in.
    pub fn door(&self) -> Door {
        Door(self.up.subscribe())
    }

    /// Kills any of them and starts it again; tells when it was killed.
    pub async fn kill_one(&mut self, dice: &mut StdRng) -> jiff::Timestamp {
        let number = dice.random_range(0..self.replicas.len());
        let replica = &mut self.replicas[number];
        let at = SystemClock.now();
        replica.kill();
        self.up.send_modify(|up| up[number] = None);
        replica.spawn();
        replica.ready().await;
        self.up.send_modify(|up| up[number] = Some(replica.url()));
        at
    }
}

impl Door {
    /// Any replica that is there; waits for one if there is none.
    pub async fn any(&mut self, dice: &mut StdRng) -> String {
        let up = self.0.wait_for(|up| up.iter().any(Option::is_some)).await.unwrap();
        up.iter().flatten().choose(dice).unwrap().clone()
    }
}
