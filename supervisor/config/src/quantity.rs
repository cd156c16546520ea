//! A value, or how it is drawn.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, Visitor},
};
use simrun_abi::faults::{self as abi, Draw};

use super::{
    quantile::{exponential, normal, pareto, table},
    spanned::VALUE_OR_MAP,
    units::{Share, Unit},
};

/// A value, or how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity<U> {
    /// Always this.
    Fixed(U),
    /// Drawn each time.
    Drawn(Box<Spread<U>>),
}

/// How a quantity is drawn: one of the distributions, and how much it clings to its last value.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(bound = "U: Unit + DeserializeOwned")]
pub struct Spread<U> {
    /// Any value of a range, each as likely
    uniform: Option<Uniform<U>>,
    /// The bell curve; what would be below zero is zero
    normal: Option<Normal<U>>,
    /// A quantity whose logarithm is normal: many near the median, few far above it
    lognormal: Option<Lognormal<U>>,
    /// The time between events that do not know of each other
    exponential: Option<Exponential<U>>,
    /// A heavy tail: few, but far above the least
    pareto: Option<Pareto<U>>,
    /// One of two
    bimodal: Option<Bimodal<U>>,
    /// With this probability, what was drawn before is drawn again
    correlation: Option<Share>,
}

/// Any value of a range, each as likely.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Uniform<U> {
    /// The least
    from: U,
    /// The most
    to: U,
}

/// The bell curve.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Normal<U> {
    /// The mean
    mean: U,
    /// The standard deviation
    deviation: U,
}

/// A quantity whose logarithm is normal.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lognormal<U> {
    /// As many are above as below
    median: U,
    /// Standard deviation of the logarithm
    sigma: f64,
}

/// The time between events that do not know of each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exponential<U> {
    /// The mean
    mean: U,
}

/// A heavy tail.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pareto<U> {
    /// The least
    least: U,
    /// How fast the tail falls; the mean is finite above 1
    shape: f64,
}

/// One of two.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(bound = "U: Unit + DeserializeOwned")]
pub struct Bimodal<U> {
    /// Mostly
    usual: Quantity<U>,
    /// Sometimes
    rare: Quantity<U>,
    /// Probability of the second
    share: Share,
}

impl<U: Unit> Quantity<U> {
    /// What lies between events that do not know of each other.
    pub fn exponential(mean: U) -> Self {
        Self::Drawn(Box::new(Spread {
            uniform: None,
            normal: None,
            lognormal: None,
            exponential: Some(Exponential { mean }),
            pareto: None,
            bimodal: None,
            correlation: None,
        }))
    }

    /// As the kernel takes it.
    pub fn compile(&self) -> abi::Quantity {
        let correlation = match self {
            Self::Drawn(spread) => spread.correlation.map_or(abi::Share::NONE, Share::parts),
            Self::Fixed(_) => abi::Share::NONE,
        };
        abi::Quantity { draw: self.draw(), correlation }
    }

    fn draw(&self) -> Draw {
        let spread = match self {
            Self::Fixed(value) => return Draw::Fixed(value.number()),
            Self::Drawn(spread) => spread,
        };
        let float = |value: U| value.number() as f64;
        if let Some(Uniform { from, to }) = spread.uniform {
            return Draw::Uniform(from.number(), to.number());
        }
        if let Some(Normal { mean, deviation }) = spread.normal {
            return table(|q| float(mean) + float(deviation) * normal(q), U::MAX);
        }
        if let Some(Lognormal { median, sigma }) = spread.lognormal {
            return table(|q| float(median) * libm::exp(sigma * normal(q)), U::MAX);
        }
        if let Some(Exponential { mean }) = spread.exponential {
            return table(|q| float(mean) * exponential(q), U::MAX);
        }
        if let Some(Pareto { least, shape }) = spread.pareto {
            return table(|q| float(least) * pareto(q, shape), U::MAX);
        }
        let Some(Bimodal { usual, rare, share }) = &spread.bimodal else {
            unreachable!("a spread has one distribution")
        };
        Draw::Either {
            usual: Box::new(usual.draw()),
            rare: Box::new(rare.draw()),
            share: share.parts(),
        }
    }

    /// The least it can be.
    pub fn least(&self) -> u64 {
        match self.draw() {
            Draw::Fixed(value) | Draw::Uniform(value, _) => value,
            Draw::Table(levels) => levels[0][0],
            Draw::Either { .. } => self.sides().map_or(0, |(a, b)| a.least().min(b.least())),
        }
    }

    /// The most it can be.
    pub fn most(&self) -> u64 {
        match self.draw() {
            Draw::Fixed(value) | Draw::Uniform(_, value) => value,
            Draw::Table(levels) => {
                levels.last().and_then(|level| level.last()).copied().unwrap_or(0)
            }
            Draw::Either { .. } => self.sides().map_or(0, |(a, b)| a.most().max(b.most())),
        }
    }

    fn sides(&self) -> Option<(&Self, &Self)> {
        let Self::Drawn(spread) = self else { return None };
        spread.bimodal.as_ref().map(|both| (&both.usual, &both.rare))
    }
}

impl<U: Unit> Spread<U> {
    /// What is wrong with it, if anything is.
    fn check(&self) -> Result<(), String> {
        let given = [
            self.uniform.is_some(),
            self.normal.is_some(),
            self.lognormal.is_some(),
            self.exponential.is_some(),
            self.pareto.is_some(),
            self.bimodal.is_some(),
        ];
        if given.into_iter().filter(|&given| given).count() != 1 {
            return Err("one of `uniform`, `normal`, `lognormal`, `exponential`, `pareto` or `bimodal` belongs here".into());
        }
        if let Some(Uniform { from, to }) = &self.uniform
            && from > to
        {
            return Err(format!("the range from {from} to {to} is empty"));
        }
        let shapes = [
            ("sigma", self.lognormal.as_ref().map(|lognormal| lognormal.sigma)),
            ("shape", self.pareto.as_ref().map(|pareto| pareto.shape)),
        ];
        for (name, shape) in shapes {
            if shape.is_some_and(|shape| shape <= 0.0) {
                return Err(format!("`{name}` must be more than zero"));
            }
        }
        if let Some(Bimodal { usual, rare, .. }) = &self.bimodal {
            let clings = |side: &Quantity<U>| matches!(side, Quantity::Drawn(spread) if spread.correlation.is_some());
            if clings(usual) || clings(rare) {
                return Err("`correlation` belongs next to `bimodal`, not into it".into());
            }
        }
        Ok(())
    }
}

impl<'de, U: Unit + DeserializeOwned> Deserialize<'de> for Quantity<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<U>(PhantomData<U>);

        impl<'de, U: Unit + DeserializeOwned> Visitor<'de> for Reader<U> {
            type Value = Quantity<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a {}, or how it is drawn", U::WHAT)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                U::parse(text).map(Quantity::Fixed).map_err(E::custom)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                let spread = Spread::<U>::deserialize(deserializer)?;
                spread.check().map_err(de::Error::custom)?;
                Ok(Quantity::Drawn(Box::new(spread)))
            }
        }

        deserializer.deserialize_newtype_struct(VALUE_OR_MAP, Reader(PhantomData))
    }
}

impl<U: JsonSchema> JsonSchema for Quantity<U> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrDrawn", U::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<U>();
        let drawn = generator.subschema_for::<Spread<U>>();
        json_schema!({ "anyOf": [value, drawn] })
    }
}
