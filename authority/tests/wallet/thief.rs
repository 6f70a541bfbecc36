//! Somebody with a copy of what the storage held once.

use safeconduct::RefreshRequest;
use safeconduct::core::client::Rule;
use safeconduct::core::client::record::{self, Content};
use safeconduct::core::secret::Secret;
use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;

use crate::world::World;

pub struct Thief {
    token: String,
    next: [u8; 32],
    /// How often the server rotated for him.
    pub rotated: u32,
}

impl Thief {
    /// Copies the token out of the storage, with the next secret or without.
    pub fn steal(world: &mut World, with_next: bool) -> Option<Self> {
        let drawn = world.draw();
        let Content::Held(held) = record::read(world.storage.bytes.as_deref()?).ok()?.content else { return None };
        world.is_stolen = true;
        let next = match &held.rule {
            Rule::Committed { next } if with_next => *next.expose(),
            _ => drawn,
        };
        Some(Self { token: held.token.to_text().to_string(), next, rotated: 0 })
    }

    /// Uses what he has; whether the server rotated.
    pub fn refresh(&mut self, world: &mut World) -> bool {
        let request =
            RefreshRequest { next_commitment: Some(Secret::new(self.next).commitment()), ..RefreshRequest::default() };
        let Ok(granted) = world.authority.refresh(&self.token, &request) else { return false };
        let receipt = Receipt::parse(&granted.grant.receipt.unwrap()).unwrap();
        self.token = Token::assemble(&receipt, Secret::new(self.next)).to_text().to_string();
        self.next = world.draw();
        let rotated = granted.outcome == Outcome::Rotated;
        self.rotated += u32::from(rotated);
        rotated
    }
}
