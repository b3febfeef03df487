//! Node.js as the judge: the same rules on the same numbers, in one process.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};

use super::super::Translation;

/// Rule sets that are judged; each on [`NUMBERS`] numbers.
const RULE_SETS: usize = 600;
const NUMBERS: usize = 4;

/// The contract in JavaScript. A rule set that cannot be read answers null.
const JUDGE: &str = r#"
const space = text => text.trim();
function translate(rulesJson, value) {
  const scheme = /^(?:sips?|tel):/i.exec(value);
  if (scheme) value = value.slice(scheme[0].length).split(/[@;]/)[0];
  else value = value.split("@")[0];
  if (!/[0-9]/.test(value)) return value;
  let number = value.replace('(0)', '').replace(/[^0-9#*,+]/g, '');
  number = number.slice(0, 1) + number.slice(1).replace(/\+/g, '');
  const length = number.length;
  const rules = JSON.parse(rulesJson);
  for (const name of Object.keys(rules)) {
    const [predicate, pattern, ...selector] = rules[name].split('->');
    const [min, max] = JSON.parse(predicate);
    const compiled = new RegExp(space(pattern), 'g');
    if (min <= length && length <= max) number = number.replace(compiled, space(selector.join('->')));
  }
  return space(number).replace(/\p{Surrogate}/gu, '\uFFFD');
}
const questions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = questions.map(({ rules, numbers }) => {
  try { return numbers.map(number => translate(rules, number)); } catch { return null; }
});
process.stdout.write(JSON.stringify(answers));
"#;

#[derive(Serialize)]
struct Question {
    rules: String,
    numbers: Vec<String>,
}

#[derive(Deserialize)]
struct Answers(Vec<Option<Vec<String>>>);

/// Answers of Node.js, or nothing where it is not installed.
fn ask_node(questions: &[Question]) -> Option<Vec<Option<Vec<String>>>> {
    let mut node = Command::new("node")
        .args(["-e", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .inspect_err(|error| eprintln!("skipped: node does not start here ({error})"))
        .ok()?;
    let mut stdin = node.stdin.take().unwrap();
    let body = serde_json::to_vec(questions).unwrap();
    // Node reads all before it writes, so this cannot wait for itself.
    stdin.write_all(&body).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "node failed");
    let Answers(answers) = serde_json::from_slice(&output.stdout).unwrap();
    Some(answers)
}

/// Something a quantifier may follow.
fn atom() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "0",
        "49",
        "\\d",
        "\\D",
        "\\w",
        "\\W",
        "\\s",
        "\\S",
        ".",
        "[^\\d]",
        "[0-5]",
        "[^0-5+]",
        "[\\d-x]",
        "[]",
        "[^]",
        "[1-]",
        "[-1]",
        "[\\b1]",
        "[\\]#]",
        "\\+",
        "#",
        ",",
        "\\*",
        "\\-",
        "]",
        "}",
        "{",
        "{,2}",
        "\\u0031",
        "\\x30",
        "\\061",
        "\\8",
        "\\0",
        "\\cA",
        "\\c",
        "[\\c1]",
        "\\u{1}",
        "\\a",
        "\\p{L}",
        "é",
        "😀",
        "\\1",
        "\\2",
        "\\3",
        "\\k<n>",
        "\\k",
        "[\\1]",
        "[\\k]",
        "[\\w-\\d]",
        "[+--]",
        "[9-0]",
        "\\/",
        "x",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let opening =
            prop::sample::select(vec!["(", "(", "(", "(?:", "(?<n>", "(?<m>", "(?=", "(?!", "(?<=", "(?<!"]);
        let body = prop::collection::vec(prop::collection::vec(quantified(inner), 0..3), 1..3);
        (opening, body).prop_map(|(opening, choices)| {
            let choices: Vec<String> = choices.into_iter().map(|terms| terms.concat()).collect();
            format!("{opening}{})", choices.join("|"))
        })
    })
}

fn quantified(atom: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let quantifier = prop::sample::select(vec![
        "", "", "", "", "", "*", "+", "?", "{2}", "{3}", "{1,}", "{0,2}", "{2,4}", "*?", "+?", "??",
        "{1,2}?", "{0}", "{2,1}", "{,3}", "{1", "{0,}?",
    ]);
    let place = prop::sample::select(vec!["", "", "", "", "", "", "", "^", "$", "\\b", "\\B"]);
    (place, atom, quantifier).prop_map(|(place, atom, quantifier)| format!("{place}{atom}{quantifier}"))
}

fn rule() -> impl Strategy<Value = String> {
    let predicate = prop::sample::select(vec!["[0,64]", "[1,17]", "[ 10 , 13 ]", "[12,12]"]);
    let pattern = prop::collection::vec(quantified(atom()), 1..4).prop_map(|terms| terms.concat());
    let symbol = prop::sample::select(vec![
        "", "-", "+", " ", "9", "$1", "$2", "$3", "$10", "$01", "$00", "$0", "$11", "$&", "$`", "$'", "$$",
        "$", "$<n>", "$<m>", "$<", "$<x>", "é", "😀", "->",
    ]);
    let selector = prop::option::of(prop::collection::vec(symbol, 0..3));
    (predicate, pattern, selector).prop_map(|(predicate, pattern, selector)| match selector {
        Some(selector) => format!("{predicate}->{pattern}->{}", selector.concat()),
        None => format!("{predicate} -> {pattern} "),
    })
}

fn questions() -> Vec<Question> {
    let name = prop::sample::select(vec!["Strip", "To E164", "10", "2", "01", "b", "a"]);
    let rules = prop::collection::vec((name, rule()), 1..3);
    let number = prop_oneof![
        3 => "[+]?[0-9]{1,16}",
        1 => "[+]?[01]{6,13}[#*,x]?",
        1 => "(sip:|TEL:|)[+]?[0-9() .#*,x-]{0,18}(@[a-z0-9]{3}|;1|)",
    ];
    let strategy = (rules, prop::collection::vec(number, NUMBERS));
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    std::iter::repeat_with(|| strategy.new_tree(&mut runner).unwrap().current())
        .take(RULE_SETS)
        .map(|(rules, numbers)| {
            let rules: Vec<String> = rules
                .into_iter()
                .map(|(name, rule)| format!("{}:{}", serde_json::json!(name), serde_json::json!(rule)))
                .collect();
            Question { rules: format!("{{{}}}", rules.join(",")), numbers }
        })
        .collect()
}

/// Where engines differ, written down by hand: empty rounds, captures in loops, look-behind, Annex B, wrong syntax.
fn quirks() -> Vec<Question> {
    let numbers =
        ["1", "12", "112233", "+41112131", "1231231230", "11,11#22*3", "+10203040506", "12345678900", "0000"];
    let selectors = ["", "->[$1|$2]", "-><$&>", "->$<n>$<a>"];
    let question = |pattern: &str, selector: &str| Question {
        rules: serde_json::json!({ "quirk": format!("[0,64]->{pattern}{selector}") }).to_string(),
        numbers: numbers.map(str::to_owned).to_vec(),
    };
    let patterns = include_str!("quirks.txt").lines();
    patterns.flat_map(|pattern| selectors.map(|selector| question(pattern, selector))).collect()
}

/// Compares with Node.js: how many numbers came out the same, and how many rule sets both refuse.
fn judge(questions: &[Question]) -> Option<(usize, usize)> {
    let answers = ask_node(questions)?;
    assert_eq!(answers.len(), questions.len());
    let (mut agreed, mut refused) = (0, 0);
    for (question, answer) in questions.iter().zip(answers) {
        let rules = &question.rules;
        match (Translation::parse(rules), answer) {
            (Ok(translation), Some(results)) => {
                for (number, result) in question.numbers.iter().zip(results) {
                    assert_eq!(translation.translate(number).unwrap(), result, "{rules} on {number}");
                    agreed += 1;
                }
            }
            (Err(problems), Some(_)) => {
                let runaway = problems.iter().all(|problem| problem.problem().contains("can run away"));
                assert!(runaway, "{rules}: {problems:?}");
            }
            (Err(_), None) => refused += 1,
            (Ok(_), None) => panic!("node refuses {rules}"),
        }
    }
    Some((agreed, refused))
}

#[test]
fn node_gives_the_same_numbers_and_refuses_the_same_rules() {
    let Some((agreed, refused)) = judge(&questions()) else {
        return;
    };
    assert!(agreed > RULE_SETS && refused > RULE_SETS / 10, "agreed {agreed}, refused {refused}");
}

#[test]
fn node_agrees_where_engines_usually_differ() {
    let Some((agreed, refused)) = judge(&quirks()) else {
        return;
    };
    assert!(agreed > 2_000 && refused > 100, "agreed {agreed}, refused {refused}");
}
