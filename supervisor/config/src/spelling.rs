//! The nearest word.

/// The word that was most likely meant; `None` if none is near.
pub fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let distance = |word: &str| strsim::osa_distance(&text, &word.to_lowercase());
    // Two of five letters may be wrong, and one of two.
    let near = |word: &&str| {
        let longer = text.chars().count().max(word.chars().count());
        distance(word) <= (longer * 2 / 5).max(usize::from(longer > 1))
    };
    words
        .into_iter()
        .filter(near)
        .min_by_key(|word| (distance(word), word.len().abs_diff(text.len()), *word))
}

/// What others call things, and what they are called here.
const OTHER_WORDS: [(&str, &str); 7] = [
    ("nxdomain", "not-found"),
    ("servfail", "failure"),
    ("timeout", "silence"),
    ("timeout", "hang"),
    ("drop", "lose"),
    ("loss", "lose"),
    ("throughput", "bandwidth"),
];

/// The one of these words that was most likely meant, also by one who knows it by another; `None` if none is near.
pub fn meant<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let of_others = OTHER_WORDS.into_iter().filter(|(_, own)| words.contains(own));
    let all = of_others.clone().map(|(other, _)| other).chain(words.iter().copied());
    let near = nearest(text, all)?;
    let own = of_others.clone().find(|(other, _)| *other == near).map_or(near, |(_, own)| own);
    words.iter().copied().find(|word| *word == own)
}

/// `; did you mean ...?`, or nothing.
pub fn hint<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, words).map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// `` `a`, `b` or `c` ``.
pub fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
