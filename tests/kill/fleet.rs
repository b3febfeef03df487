//! The replicas, and which of them are there.

use jiff::Timestamp;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use scv_bridge::clock::{Clock as _, SystemClock};
use tokio::sync::watch;

use super::proxies::Proxies;
use super::replica::Replica;
use super::site::Site;

/// How a replica listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listens {
    /// HTTP.
    Plain,
    /// HTTPS.
    Tls,
}

/// All replicas of one database. Dropping it kills them.
pub struct Fleet {
    replicas: Vec<Replica>,
    proxies: Option<Proxies>,
    up: watch::Sender<Vec<Option<Vec<Way>>>>,
}

/// A way to a replica.
#[derive(Debug, Clone)]
pub struct Way {
    /// `http://host:port` or `https://host:port`.
    pub base: String,
    /// Whether a proxy is there.
    pub is_proxy: bool,
}

/// Where flows find a replica that is there, as a load balancer would.
#[derive(Clone)]
pub struct Door(watch::Receiver<Vec<Option<Vec<Way>>>>);

impl Fleet {
    /// Starts all of them at once: they migrate the database at the same time. Perhaps with proxies in front.
    pub async fn start(site: &Site, replicas: &[Listens], behind_proxies: bool) -> Self {
        let new = |listens: &Listens| match listens {
            Listens::Plain => Replica::new(site.path()),
            Listens::Tls => Replica::new(site.path()).with_tls(site.root()),
        };
        let mut replicas: Vec<_> = replicas.iter().map(new).collect();
        replicas.iter_mut().for_each(Replica::spawn);
        for replica in &mut replicas {
            replica.ready().await;
        }
        let urls: Vec<_> = replicas.iter().map(Replica::url).collect();
        let proxies = behind_proxies.then(|| Proxies::start(site.path(), &urls));
        let this = Self { replicas, proxies, up: watch::Sender::new(Vec::new()) };
        this.up.send_replace((0..urls.len()).map(|number| Some(this.ways(number))).collect());
        this
    }

    /// The way in.
    pub fn door(&self) -> Door {
        Door(self.up.subscribe())
    }

    /// Kills any of them and starts it again; tells when it was killed.
    pub async fn kill_one(&mut self, dice: &mut StdRng) -> Timestamp {
        let number = dice.random_range(0..self.replicas.len());
        let replica = &mut self.replicas[number];
        let at = SystemClock.now();
        replica.kill();
        self.up.send_modify(|up| up[number] = None);
        replica.spawn();
        replica.ready().await;
        let ways = self.ways(number);
        self.up.send_modify(|up| up[number] = Some(ways));
        at
    }

    fn ways(&self, number: usize) -> Vec<Way> {
        let direct = Way { base: self.replicas[number].url(), is_proxy: false };
        let proxies = self.proxies.iter().flat_map(|proxies| proxies.before(number));
        let proxies = proxies.map(|base| Way { base, is_proxy: true });
        [direct].into_iter().chain(proxies).collect()
    }
}

impl Door {
    /// Any way to any replica that is there; waits for one if there is none.
    pub async fn any(&mut self, dice: &mut StdRng) -> Way {
        let up = self.0.wait_for(|up| up.iter().any(Option::is_some)).await.unwrap();
        up.iter().flatten().choose(dice).unwrap().choose(dice).unwrap().clone()
    }
}
