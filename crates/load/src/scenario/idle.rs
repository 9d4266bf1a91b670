//! Clients that are registered, and silent.

use super::Scenario;
use crate::clients::Clients;
use crate::population::Population;

/// Clients that register and are silent: they cost the server memory and nothing else.
pub(crate) struct Idle {
    population: Population,
}

impl Idle {
    pub(crate) fn new(population: Population) -> Self {
        Self { population }
    }
}

impl Scenario for Idle {
    fn population(&self) -> &Population {
        &self.population
    }

    fn population_mut(&mut self) -> &mut Population {
        &mut self.population
    }

    fn start(&mut self, _: &mut Clients) {}

    fn receive(&mut self, clients: &mut Clients, client: usize, text: &str) {
        self.population.receive(clients, client, text);
    }
}
