//! What the programs of the scenario share: how they tell what they have done.
#![allow(dead_code)]

use std::fmt::Debug;

pub const TEXT: &str = "grüße\r\n€";
pub const SCRIPT: &str = "return {KEYS[1], ARGV[1], 7, {'x'}}";
pub const INCREMENT: &str = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
pub const OWN_ERROR: &str = "return redis.error_reply('MINE own words')";
pub const BOTH: &str = "return redis.call('MGET', KEYS[1], KEYS[2])";
pub const NO_SHA: &str = "0000000000000000000000000000000000000000";

pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The client has no such thing, or it cannot be tried here.
#[derive(Debug)]
pub struct NotHere(pub &'static str);

impl std::fmt::Display for NotHere {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(self.0)
    }
}

impl std::error::Error for NotHere {}

/// The port that a variable names, or 0.
pub fn port(variable: &str) -> u16 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The certificate of the authority, as PEM.
pub fn authority() -> Vec<u8> {
    std::fs::read(std::env::var("REDIS_CA").unwrap()).unwrap()
}

pub fn odd() -> Vec<u8> {
    (0..=255).collect()
}

/// Fails unless what was got is what was wanted.
pub fn same<A: Debug + PartialEq<B>, B: Debug>(got: A, wanted: B) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{:.200} instead of {:.200}", format!("{got:?}"), format!("{wanted:?}")).into())
}

/// Fails unless it is an error with this part.
pub fn fails<T: Debug, E: Debug + std::fmt::Display>(got: Result<T, E>, part: &str) -> Outcome {
    match got {
        Err(error) if error.to_string().contains(part) || format!("{error:?}").contains(part) => Ok(()),
        other => Err(format!("{other:?} instead of an error with {part}").into()),
    }
}

/// The line of a step; tells whether it has failed.
pub fn tell(name: &str, outcome: Outcome) -> bool {
    match outcome {
        Ok(()) => println!("ok {name}"),
        Err(why) if why.is::<NotHere>() => println!("none {name}: {why}"),
        Err(why) => {
            println!("fail {name}: {}", why.to_string().replace(['\r', '\n'], " "));
            return true;
        }
    }
    false
}
